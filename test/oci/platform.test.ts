import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatPlatform,
  hostPlatform,
  normalizePlatform,
  type Platform,
  parsePlatform,
} from "../../src/oci/platform.ts";
import { rank, requestPlatform } from "../../src/oci/platform-request.ts";

const amd64 = parsePlatform("linux/amd64");

test("R-36: every way to say a platform has one normal form", () => {
  const normalForms = {
    "linux/x86_64": "linux/amd64",
    "linux/x86-64": "linux/amd64",
    "Linux/AMD64": "linux/amd64",
    "linux/amd64/v1": "linux/amd64",
    "linux/amd64/v3": "linux/amd64/v3",
    "linux/i386": "linux/386",
    "linux/aarch64": "linux/arm64",
    "linux/arm64/v8": "linux/arm64",
    "linux/arm64/8": "linux/arm64",
    "linux/arm64/v9": "linux/arm64/v9",
    "linux/armhf": "linux/arm/v7",
    "linux/armel": "linux/arm/v6",
    "linux/arm/7": "linux/arm/v7",
    "linux/arm/V6": "linux/arm/v6",
    "linux/arm": "linux/arm",
    "macos/arm64": "darwin/arm64",
    "linux/riscv64": "linux/riscv64",
    "linux/constructor": "linux/constructor",
  };
  for (const [written, normal] of Object.entries(normalForms)) {
    assert.equal(formatPlatform(parsePlatform(written)), normal, written);
    assert.equal(formatPlatform(parsePlatform(normal)), normal, normal);
  }
});

test("normalising keeps what else a platform says", () => {
  const platform = { os: "Windows", architecture: "x86_64", osVersion: "10.0.1", osFeatures: ["win32k"] };
  assert.deepEqual(normalizePlatform(platform), { ...platform, os: "windows", architecture: "amd64" });
});

test("what is no platform is refused with an example", () => {
  for (const text of [
    "",
    "linux",
    "linux/",
    "/amd64",
    "linux/amd64/",
    "linux/arm/v7/x",
    "linux amd64",
    "linux/*",
    "l/\n",
  ]) {
    const hint = "write it as OS/ARCHITECTURE[/VARIANT], for instance linux/arm64";
    assert.throws(() => parsePlatform(text), { code: "INVALID_PLATFORM", hint }, text);
  }
});

test("a machine's platform is told in Go's words", () => {
  const machine = { platform: "linux", endianness: "LE", machine: "" } as const;
  assert.equal(formatPlatform(hostPlatform({ ...machine, arch: "x64" })), "linux/amd64");
  assert.equal(formatPlatform(hostPlatform({ ...machine, arch: "ia32" })), "linux/386");
  assert.equal(formatPlatform(hostPlatform({ ...machine, arch: "arm64" })), "linux/arm64");
  assert.equal(formatPlatform(hostPlatform({ ...machine, arch: "s390x", endianness: "BE" })), "linux/s390x");
  assert.equal(formatPlatform(hostPlatform({ ...machine, arch: "riscv64" })), "linux/riscv64");
  assert.equal(formatPlatform(hostPlatform({ ...machine, arch: "x64", platform: "win32" })), "windows/amd64");
});

test("a machine's byte order tells ppc64le from ppc64", () => {
  const machine = { arch: "ppc64", platform: "linux", machine: "ppc64" };
  assert.equal(formatPlatform(hostPlatform({ ...machine, endianness: "LE" })), "linux/ppc64le");
  assert.equal(formatPlatform(hostPlatform({ ...machine, endianness: "BE" })), "linux/ppc64");
});

test("a machine's kernel tells one 32-bit arm from another", () => {
  const variants = { armv5tel: "v5", armv6l: "v6", armv7l: "v7", armv8l: "v8", aarch64: "v8" };
  for (const [machine, variant] of Object.entries(variants)) {
    const host = hostPlatform({ arch: "arm", platform: "linux", endianness: "LE", machine });
    assert.deepEqual(host, { os: "linux", architecture: "arm", variant }, machine);
  }
});

test("R-36: arm64 takes lower levels, then 32-bit arm, best first", () => {
  const below = ["linux/arm64", "linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5"];
  assert.deepEqual(acceptedBy("linux/arm64"), below);
  assert.deepEqual(acceptedBy("linux/arm64/v8.2"), ["linux/arm64/v8.2", "linux/arm64/v8.1", ...below]);
  assert.deepEqual(acceptedBy("linux/arm64/v9.1"), [
    ...["linux/arm64/v9.1", "linux/arm64/v9"],
    ...[6, 5, 4, 3, 2, 1].map((minor) => `linux/arm64/v8.${minor}`),
    ...below,
  ]);
});

test("R-36: arm takes lower variants, best first", () => {
  const arm = ["linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5"];
  assert.deepEqual(acceptedBy("linux/arm/v8"), arm);
  assert.deepEqual(acceptedBy("linux/arm/v6"), arm.slice(2));
  assert.deepEqual(acceptedBy("linux/arm/v5"), arm.slice(3));
});

test("R-36: amd64 takes lower levels, never a higher one, and no 386", () => {
  assert.deepEqual(acceptedBy("linux/amd64/v3"), ["linux/amd64/v3", "linux/amd64/v2", "linux/amd64"]);
  assert.deepEqual(acceptedBy("linux/amd64"), ["linux/amd64"]);
});

test("a variant that nobody knows is taken by its own kind alone", () => {
  assert.deepEqual(acceptedBy("linux/arm/v7a"), ["linux/arm/v7a"]);
  assert.deepEqual(acceptedBy("linux/mips/r2"), ["linux/mips/r2"]);
});

test("R-37: a variant that was asked for is the variant that is taken", () => {
  for (const asked of [
    "linux/arm/v5",
    "linux/arm/v7",
    "linux/amd64/v3",
    "linux/armhf",
    { variant: "v6", architecture: "arm" },
  ]) {
    assert.equal(requestPlatform(asked, amd64).acceptable.length, 1);
  }
});

test("R-37: an architecture that was asked for may come in a lower variant, never as another architecture", () => {
  const accepted = requestPlatform("linux/arm", amd64).acceptable.map(formatPlatform);
  assert.deepEqual(accepted, ["linux/arm", "linux/arm/v6", "linux/arm/v5"]);
  assert.deepEqual(requestPlatform("linux/arm64", amd64).acceptable.map(formatPlatform), ["linux/arm64"]);
});

test("R-37: an entry that states no variant is arm64/v8 and arm/v7, and the other way round", () => {
  const pairs = [
    ["linux/arm64/v8", { os: "linux", architecture: "arm64" }],
    ["linux/arm/v7", { os: "linux", architecture: "arm" }],
    ["linux/arm", { os: "linux", architecture: "arm", variant: "v7" }],
  ] as const;
  for (const [asked, entry] of pairs) assert.equal(rank(requestPlatform(asked, amd64), entry), 0, asked);
  assert.equal(rank(requestPlatform("linux/arm/v6", amd64), { os: "linux", architecture: "arm" }), undefined);
});

test("what was not asked for is the host's", () => {
  const host: Platform = { os: "linux", architecture: "arm", variant: "v6" };
  const wanted = (asked: Partial<Platform>) => formatPlatform(requestPlatform(asked, host).platform);
  assert.equal(wanted({}), "linux/arm/v6");
  assert.equal(wanted({ os: "freebsd" }), "freebsd/arm/v6");
  assert.equal(wanted({ architecture: "x86_64" }), "linux/amd64");
  assert.equal(wanted({ architecture: "arm" }), "linux/arm");
  assert.equal(wanted({ architecture: "arm/v7" }), "linux/arm/v7");
  assert.equal(wanted({ variant: "v7" }), "linux/arm/v7");
  assert.equal(requestPlatform(undefined, host).explicit, false);
  assert.equal(requestPlatform({}, host).explicit, false);
  assert.equal(requestPlatform({ os: "linux" }, host).explicit, true);
});

test("a part that is no word is refused", () => {
  for (const asked of [
    { os: "" },
    { architecture: "a b" },
    { architecture: "arm/v7/x" },
    { variant: "v7\n" },
    "linux//v7",
  ]) {
    assert.throws(() => requestPlatform(asked, amd64), { code: "INVALID_PLATFORM" });
  }
});

test("another system, version or feature than was asked for does not match", () => {
  const windows = { os: "windows", architecture: "amd64", osVersion: "10.0.2" };
  assert.equal(rank(requestPlatform(undefined, amd64), { os: "freebsd", architecture: "amd64" }), undefined);
  assert.equal(rank(requestPlatform("windows/amd64", amd64), windows), 0);
  assert.equal(rank(requestPlatform({ ...windows, osVersion: "10.0.1" }, amd64), windows), undefined);
  const demanding = { ...amd64, osFeatures: ["erofs"] };
  assert.equal(rank(requestPlatform(undefined, amd64), demanding), undefined);
  assert.equal(rank(requestPlatform({ osFeatures: ["erofs", "x"] }, amd64), demanding), 0);
});

/** What a host of that platform takes when nobody asks for anything. */
function acceptedBy(host: string): readonly string[] {
  return requestPlatform(undefined, parsePlatform(host)).acceptable.map(formatPlatform);
}
