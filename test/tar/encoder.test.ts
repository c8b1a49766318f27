import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type ByteString, byteStringOf } from "../../src/tar/byte-string.ts";
import { type ArchivedFile, encodedHeader, endMarkerBytes, paddingBytes } from "../../src/tar/encoder.ts";
import { segmentsInBlocks } from "../../src/tar/sparse-map.ts";
import { Random } from "../model/random.ts";
import { type DecodedEntry, decoded } from "../support/decode.ts";
import { scratch } from "../support/scratch.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { readTree } from "../support/tree.ts";

interface Written extends ArchivedFile {
  readonly content: string;
}

const plain: Written = {
  type: "file",
  path: byteStringOf("a"),
  linkPath: byteStringOf(""),
  mode: 0o644,
  uid: 0,
  gid: 0,
  sizeBytes: 0,
  mtime: { seconds: 1_000_000_000, nanoseconds: 0 },
  deviceMajor: 0,
  deviceMinor: 0,
  content: "",
};

function file(path: string, content: string, more: Partial<Written> = {}): Written {
  return { ...plain, path: path as ByteString, content, sizeBytes: content.length, ...more };
}

function other(type: ArchivedFile["type"], path: string, more: Partial<Written> = {}): Written {
  return { ...plain, type, path: path as ByteString, ...more };
}

function xattrs(values: Readonly<Record<string, string>>): ReadonlyMap<ByteString, Uint8Array> {
  return new Map(
    Object.entries(values).map(([name, value]) => [name as ByteString, new Uint8Array(Buffer.from(value, "latin1"))]),
  );
}

function archive(...files: readonly Written[]): Buffer {
  const parts = files.flatMap((each) => [
    encodedHeader(each),
    Buffer.from(each.content, "latin1"),
    new Uint8Array(paddingBytes(each.content.length)),
  ]);
  return Buffer.concat([...parts, new Uint8Array(endMarkerBytes)]);
}

/** What a reader should find: the same, but for what only reading adds. */
function read(found: DecodedEntry): Written {
  const { offset: _offset, typeFlag: _typeFlag, ...rest } = found;
  return rest;
}

const long = "n".repeat(99);
const members: readonly Written[] = [
  other("directory", "./", { mode: 0o700, uid: 5, gid: 6, mtime: { seconds: 5, nanoseconds: 7 } }),
  file(long, "a name that just fits"),
  file(`${long}n/${long}`, "a name with a prefix"),
  file(`d/${"n".repeat(250)}`, "a name that needs a record"),
  file(`${`${long}/`.repeat(20)}x`, "a path with many names"),
  file("caf\xc3\xa9", "UTF-8"),
  file(`\xff\xfe${long}\x80`, "a name that is not UTF-8"),
  file("\xff\xfe", "a short one"),
  file("new\nline", ""),
  file("-rf", "512 bytes".padEnd(512)),
  file("owned", "1", { uid: 2 ** 32 - 2, gid: 8 ** 7, mode: 0o7777 }),
  file("old", "1", { mtime: { seconds: -2, nanoseconds: 500_000_000 } }),
  file("new", "1", { mtime: { seconds: 8 ** 11, nanoseconds: 0 } }),
  file("read", "1", { atime: { seconds: 9, nanoseconds: 1 } }),
  file("tagged", "1", { xattrs: xattrs({ "user.b": "\x00\xff=\n", "user.a": "", "trusted.c": "1" }) }),
  file("hole", `${"data".padEnd(512)}tail`, {
    sizeBytes: 3_000_000,
    segments: [
      { offset: 1_000_000, length: 512 },
      { offset: 2_999_996, length: 4 },
    ],
  }),
  file("\xffnothing", "", { sizeBytes: 1_000_000, segments: [] }),
  other("symlink", "s", { mode: 0o777, linkPath: `/${"t".repeat(200)}` as ByteString }),
  other("hardlink", "s2", { mode: 0o777, linkPath: "s" as ByteString }),
  other("hardlink", `${long}/${"n".repeat(200)}`, { linkPath: "owned" as ByteString }),
  other("fifo", "p", { mode: 0o622 }),
  other("character-device", "null", { deviceMajor: 1, deviceMinor: 3 }),
  other("block-device", "far", { deviceMajor: 4095, deviceMinor: 2 ** 20 - 1 }),
  other("directory", `${long}/`, { mode: 0o555, mtime: { seconds: 0, nanoseconds: 1 } }),
];

for (const member of members) {
  test(`what is written of ${JSON.stringify(member.path.slice(0, 12))} (a ${member.type}) can be read`, () => {
    const { entries, warnings } = decoded(archive(member));
    assert.deepEqual({ entries: entries.map(read), warnings }, { entries: [member], warnings: [] });
  });
}

test("a file of 8 GiB and more has its size in a record", () => {
  const header = encodedHeader(file("large", "", { sizeBytes: 8 ** 11 }));
  assert.match(Buffer.from(header).toString("latin1"), /^.{512}19 size=8589934592\n/s);
});

test("an extended attribute whose name has an equals sign is spelled as libarchive does", () => {
  const member = file("a", "", { xattrs: xattrs({ "user.x=y z": "\xff" }) });
  assert.match(Buffer.from(encodedHeader(member)).toString("latin1"), /LIBARCHIVE\.xattr\.user\.x%3Dy%20z=\/w\n/);
  assert.deepEqual(decoded(archive(member)).entries.map(read), [member]);
});

test("the order of extended attributes in memory does not show in an archive", () => {
  const one = encodedHeader(file("a", "", { xattrs: xattrs({ "user.a": "1", "user.b": "2" }) }));
  const other = encodedHeader(file("a", "", { xattrs: xattrs({ "user.b": "2", "user.a": "1" }) }));
  assert.deepEqual(one, other);
});

test("segments are lengthened to whole blocks, and joined where they meet", () => {
  const segments = [
    { offset: 10, length: 1 },
    { offset: 500, length: 100 },
    { offset: 2000, length: 512 },
    { offset: 9990, length: 10 },
  ];
  assert.deepEqual(segmentsInBlocks(segments, 10_000), [
    { offset: 10, length: 1024 },
    { offset: 2000, length: 512 },
    { offset: 9990, length: 10 },
  ]);
});

test("any path, target and time that can be written can be read", () => {
  const random = new Random(1);
  const name = () => random.oneOf(["a", "b", "\xe9", long, "n".repeat(random.below(254) + 1)]);
  const written = Array.from({ length: 500 }, () =>
    other("symlink", random.many(1, 6, name).join("/"), {
      linkPath: random.many(1, 4, name).join("/") as ByteString,
      mtime: { seconds: random.below(2 ** 36) - 2 ** 35, nanoseconds: random.below(2) * random.below(1e9) },
    }),
  );
  assert.deepEqual(decoded(archive(...written)).entries.map(read), written);
});

// bsdtar of Debian 13 takes the fraction of a negative time for a positive one, and leaves the top directory's time alone.
const extractors = {
  tar: { args: ["-x", "--xattrs", "--xattrs-include=*", "-f"], unlike: [] },
  bsdtar: { args: ["--numeric-owner", "-xpf"], unlike: [".", "old"] },
} as const;

for (const [tool, { args, unlike }] of Object.entries(extractors)) {
  const skip = skipUnlessRoot() || skipWithout(tool as keyof typeof extractors);
  test(`${tool} extracts what is written, to the last attribute`, { skip }, async () => {
    await using place = await scratch();
    const directories = [`${`${long}/`.repeat(19)}`, `${long}n/`, "d/"].map((path) => other("directory", path));
    const names = new Set<string>(members.slice(6).map(({ path }) => path));
    const shown = members.filter(({ path }) => names.has(path) && !path.startsWith(long));
    writeFileSync(join(place.directory, "a.tar"), archive(...members.slice(0, 1), ...directories.slice(2), ...shown));
    const root = join(place.directory, "root");
    execFileSync("mkdir", [root]);
    execFileSync(tool, [...args, join(place.directory, "a.tar"), "-C", root], {
      stdio: ["ignore", "ignore", "ignore"],
    });

    const tree = readTree(root, { contents: "bytes" });
    for (const member of shown) {
      const found = tree[member.path];
      assert.ok(found, `${member.path} is there`);
      if (member.type === "hardlink") continue;
      const { seconds, nanoseconds } = member.mtime;
      if (!unlike.some((path) => path === member.path)) {
        assert.equal(found.mtime, `${seconds}.${String(nanoseconds).padStart(9, "0")}`, member.path);
      }
      assert.equal(found.owner, `${member.uid}:${member.gid}`, member.path);
      if (member.type !== "symlink") assert.equal(found.mode, member.mode.toString(8).padStart(4, "0"), member.path);
      if (member.type === "symlink") assert.equal(found.target, member.linkPath);
      if (member.type === "file" && member.segments === undefined) assert.equal(found.content, member.content);
      if (member.segments !== undefined) assert.equal(found.size, member.sizeBytes);
      assert.deepEqual(found.xattrs, textOf(member.xattrs));
    }
    assert.equal(tree.s2?.sameFileAs, "s");
  });
}

test("bsdtar extracts an extended attribute whose name has an equals sign", {
  skip: skipUnlessRoot() || skipWithout("bsdtar"),
}, async () => {
  await using place = await scratch();
  const member = file("a", "", { xattrs: xattrs({ "user.x=y z": "\x00\xff=\n" }) });
  execFileSync("bsdtar", ["-xpf", "-", "-C", place.directory], { input: archive(member) });
  assert.deepEqual(readTree(place.directory).a?.xattrs, textOf(member.xattrs));
});

function textOf(values: ReadonlyMap<ByteString, Uint8Array> = new Map()): Record<string, string> {
  return Object.fromEntries([...values].map(([name, value]) => [name, Buffer.from(value).toString("latin1")]));
}
