import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defaultLimits } from "../../src/limits.ts";
import { TarDecoder } from "../../src/tar/decoder.ts";
import { inChunks } from "../support/decode.ts";
import { file, gnuLongName, paxRecord, paxText, tar } from "../support/tar-builder.ts";
import { joined } from "../support/tar-header.ts";
import { sparsePax01, sparsePax10 } from "../support/tar-sparse.ts";

const FEW = 2000;
const FACTOR = 10;
/** A quadratic step would take 100 times as long, a linear one 10 times: between them is room for garbage collection. */
const TOLERATED = 40;

describe(`${FACTOR} times as much of anything takes about ${FACTOR} times as long`, () => {
  const cases: Readonly<Record<string, (count: number) => Uint8Array>> = {
    entries: (count) => tar(...Array.from({ length: count }, (_, index) => file(`file-${index}`))),
    "entries with pax records": (count) =>
      tar(...Array.from({ length: count }, () => file("f", "", { pax: { uid: "1" } }))),
    "extension headers before one entry": (count) =>
      tar(...Array.from({ length: count }, () => gnuLongName("x")), file("f")),
    "records in one pax header": (count) => tar(paxText(repeated(count, () => paxRecord("uid", "1"))), file("f")),
    "extended attributes of one entry": (count) =>
      tar(paxText(repeated(count, (index) => paxRecord(`SCHILY.xattr.user.${index}`, ""))), file("f")),
    "entries of an access-control list": (count) =>
      tar(file("f", "", { pax: { "SCHILY.acl.access": "u:1:rwx,".repeat(count) } })),
    "remarks in an access-control list": (count) =>
      tar(file("f", "", { pax: { "SCHILY.acl.access": `${"#".repeat(10 * count)}\r` } })),
    "segments in a pax record": (count) => tar(sparsePax01("f", { runs: runs(count), size: 2 * count })),
    "segments before the data": (count) => tar(sparsePax10("f", { runs: runs(count), size: 2 * count })),
    "digits of a number": (count) => tar(paxText(joined("0".repeat(10 * count), paxRecord("uid", "1"))), file("f")),
  };

  for (const [what, make] of Object.entries(cases)) {
    test(what, () => {
      const few = make(FEW);
      const many = make(FEW * FACTOR);
      milliseconds(few); // the first run pays for compiling
      const ratio = fastest(many) / Math.max(fastest(few), 0.5);
      assert.ok(ratio < TOLERATED, `${ratio.toFixed(1)} times as long`);
    });
  }
});

function runs(count: number) {
  return Array.from({ length: count }, (_, index) => ({ offset: 2 * index, content: "x" }));
}

function repeated(count: number, record: (index: number) => Uint8Array): Uint8Array {
  return joined(...Array.from({ length: count }, (_, index) => record(index)));
}

function fastest(archive: Uint8Array): number {
  return Math.min(milliseconds(archive), milliseconds(archive), milliseconds(archive));
}

/** Time that this process computed, whatever else the machine does. */
function milliseconds(archive: Uint8Array): number {
  const source = inChunks(archive, () => 65_536);
  const limits = { ...defaultLimits, headerBytes: 2 ** 26, xattrBytes: 2 ** 26 };
  const decoder = new TarDecoder(source, { limits, strict: false, warning() {} });
  const before = process.cpuUsage();
  try {
    while (decoder.next() !== undefined);
  } catch {
    // An archive that is refused has to be refused in time, too.
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
