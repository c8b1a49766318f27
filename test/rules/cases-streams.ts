import { directory, file, tar, tarWithoutEnd } from "../support/tar-builder.ts";
import { joined } from "../support/tar-header.ts";
import type { LayerRule } from "./rule.ts";

const whole = tar(file("a", "1"), file("b", "2"));

/** Rules S1–S3 and S10: where an archive ends, and where it breaks off. */
export const archiveRules: readonly LayerRule[] = [
  {
    rule: "S1",
    claim: "an archive that ends without its two zero blocks is whole",
    layers: [tarWithoutEnd(file("a", "1"))],
    outcome: { a: "1" },
    warnings: ["MISSING_END_MARKER"],
  },
  {
    rule: "S1",
    claim: "an archive that ends with one zero block is whole",
    layers: [joined(tarWithoutEnd(file("a", "1")), new Uint8Array(512))],
    outcome: { a: "1" },
  },
  {
    rule: "S1",
    claim: "one zero block between two entries is not the end of the archive",
    layers: [joined(tarWithoutEnd(file("a", "1")), new Uint8Array(512), tar(file("b", "2")))],
    outcome: { a: "1", b: "2" },
    warnings: ["LONE_ZERO_BLOCK"],
  },
  {
    rule: "S2",
    claim: "an archive that breaks off in a header is an error",
    layers: [whole.slice(0, 1024 + 100)],
    outcome: "INVALID_ARCHIVE",
  },
  {
    rule: "S2",
    claim: "an archive that breaks off in a body is an error",
    layers: [tar(file("a", "x".repeat(2000))).slice(0, 1024)],
    outcome: "INVALID_ARCHIVE",
  },
  {
    rule: "S3",
    claim: "zeros behind the end of an archive mean nothing",
    layers: [joined(whole, new Uint8Array(20 * 512))],
    outcome: { a: "1", b: "2" },
  },
  {
    rule: "S3",
    claim: "what stands behind the end of an archive is never unpacked",
    layers: [joined(whole, tar(file("c", "3"), directory("d")))],
    outcome: { a: "1", b: "2" },
    warnings: ["TRAILING_BYTES"],
  },
  {
    rule: "S3",
    claim: "more than a mebibyte behind the end of an archive is an error",
    layers: [joined(whole, new Uint8Array(1024 * 1024 + 1).fill(0x78))],
    outcome: "LIMIT_EXCEEDED",
  },
  {
    rule: "S10",
    claim: "docker's empty layer of 1024 zeros changes nothing",
    layers: [tar(file("a", "1")), new Uint8Array(1024)],
    outcome: { a: "1" },
  },
  {
    rule: "S10",
    claim: "an empty archive padded to 10 KiB changes nothing",
    layers: [tar(file("a", "1")), new Uint8Array(10 * 1024)],
    outcome: { a: "1" },
  },
  {
    rule: "S10",
    claim: "an archive of no bytes at all changes nothing",
    layers: [tar(file("a", "1")), new Uint8Array(0)],
    outcome: { a: "1" },
  },
];
