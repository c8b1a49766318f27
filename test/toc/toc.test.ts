import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { defaultLimits } from "../../src/base/limits.ts";
import { TarDecoder } from "../../src/tar/decoder.ts";
import type { Entry } from "../../src/tar/entry.ts";
import { dataDigests } from "../../src/toc/data-digests.ts";
import { DigestibleHoles } from "../../src/toc/digested-body.ts";
import { IndexedArchive } from "../../src/toc/indexed-archive.ts";
import { TocDecoder } from "../../src/toc/toc-decoder.ts";
import type { DataFacts } from "../../src/toc/toc-entry.ts";
import { type TocOptions, TocWriter, writeToc } from "../../src/toc/toc-writer.ts";
import { type DecodedEntry, decoded, inChunks } from "../support/decode.ts";
import { directory, fifo, file, tar } from "../support/tar-builder.ts";
import { corpus, corpusArchive } from "../support/tar-corpus.ts";
import { sampleArchives } from "../support/tar-samples.ts";

for (const [name, archive] of Object.entries(sampleArchives)) {
  test(`the index of "${name}" has what the archive has`, () => insistOnSame(archive));
}

for (const folder of ["go", "node-tar/archives"] as const) {
  const archives = corpus(folder);
  test(`the index of each archive of ${folder} has what the archive has`, { skip: archives.skip }, () => {
    for (const name of archives.names) {
      const archive = corpusArchive(archives, name);
      if (refused(archive)) assert.throws(() => indexOf(archive), isOciUnpackError, name);
      else insistOnSame(archive);
    }
  });
}

test("names, targets and attributes that are not UTF-8, times of all years and unknown types are in an index", () => {
  const odd = 'caf\xe9\n"\\\x7f';
  insistOnSame(
    tar(
      file(Buffer.from(odd, "latin1"), "x", { xattrs: { "user.1": "a\0b", [odd]: "c", "7": "d", __proto__x: "e" } }),
      file("naïve 😀", "y", { mtime: { seconds: -62_167_219_201, nanoseconds: 999_999_999 } }),
      file("late", "z", { mtime: { seconds: 253_402_300_800, nanoseconds: 1 }, atime: -1 }),
      directory("d/", { mtime: { seconds: -1, nanoseconds: 500 } }),
      fifo("p"),
      file("what", "", { header: { typeFlag: "Z" } }),
    ),
  );
});

test("an index is a document of JSON that others can read", () => {
  const text = gunzipSync(
    indexOf(tar(directory("etc/"), file("etc/hosts", "::1\n", { mtime: 1_000_000_000 }))),
  ).toString();
  const digest = `sha256:${createHash("sha256").update("::1\n").digest("hex")}`;
  assert.deepEqual(JSON.parse(text), {
    version: 1,
    entries: [
      { name: "etc/", type: "dir", modtime: "2001-09-09T01:46:40Z", mode: 0o755 },
      {
        ...{ name: "etc/hosts", type: "reg", modtime: "2001-09-09T01:46:40Z", mode: 0o644, size: 4 },
        ...{ dataOffset: 1024, digest },
      },
    ],
    archiveBytes: 2560,
    warnings: [],
  });
});

test("an index is read the same wherever its bytes are cut", () => {
  const archive = sampleArchives["a layer"];
  const index = gunzipSync(indexOf(archive));
  const whole = read(index);
  for (const chunkBytes of [1, 2, 7, 100]) assert.deepEqual(read(index, chunkBytes), whole, `${chunkBytes}`);
});

test("what was repaired in an archive is told again by its index, and is an error where repairs are", () => {
  const archive = sampleArchives["no end marker"];
  const index = gunzipSync(indexOf(archive));
  assert.deepEqual(read(index).warnings, decoded(archive).warnings);
  assert.throws(() => read(index, index.length, true), { code: "STRICT_VIOLATION" });
});

test("an archive with more repairs than anybody reads has no index", () => {
  const members = Array.from({ length: 1001 }, (_, number) => file(`d${number}/`, "", { header: { typeFlag: "0" } }));
  const parts: Uint8Array[] = [];
  const holes = new DigestibleHoles(defaultLimits);
  const digests: TocOptions["digests"] = (entry, decoder) =>
    entry.sizeBytes === 0 ? {} : dataDigests(entry, decoder, holes);
  const options = { limits: defaultLimits, digests };
  const isComplete = writeToc(whole(tar(...members)), { ...options, write: (bytes) => parts.push(bytes) });
  assert.deepEqual([decoded(tar(...members)).warnings.length, isComplete], [1001, false]);
});

test("a thousand entries take less than 100 kB in an index", (t) => {
  const members = Array.from({ length: 1000 }, (_, number) =>
    file(`usr/lib/python3/dist-packages/package${number % 40}/module_${number}.py`, `content ${number}`),
  );
  const bytes = indexOf(tar(...members)).length;
  t.diagnostic(`${bytes} bytes`);
  assert.ok(bytes < 100_000, `${bytes}`);
});

/** Insists that an index gives the entries of its archive, with the right digests at the right places. */
function insistOnSame(archive: Uint8Array): void {
  const expected = decoded(archive);
  const found = read(gunzipSync(indexOf(archive)));
  assert.deepEqual(
    found.entries.map(({ entry }) => entry),
    expected.entries.map(asIndexed),
  );
  assert.deepEqual([found.warnings, found.archiveBytes], [expected.warnings, archive.length]);
  for (const [number, { facts }] of found.entries.entries()) insistOnFacts(archive, facts, expected.entries[number]);
  assert.deepEqual(indexedOnTheWay(archive), { ...found, warnings: expected.warnings, index: indexOf(archive) });
}

/** The entries and what is known of them, as an archive gives them of which an index is made. */
function indexedOnTheWay(archive: Uint8Array): Found & { readonly index: Buffer } {
  const parts: Uint8Array[] = [];
  const warnings: string[] = [];
  const writer = new TocWriter((bytes) => parts.push(bytes));
  const decoder = new TarDecoder(whole(archive), {
    limits: defaultLimits,
    strict: false,
    warning(code, message, path) {
      warnings.push(code);
      writer.warning(code, message, path);
    },
  });
  const indexed = new IndexedArchive(decoder, writer, new DigestibleHoles({ totalBytes: 2 ** 28 }));
  const entries: Found["entries"][number][] = [];
  for (let entry = indexed.next(); entry !== undefined; entry = indexed.next()) {
    assert.equal(indexed.read(), undefined);
    const { offset: _offset, typeFlag, ...rest } = entry;
    const of = { ...rest, ...buffers(entry), typeFlag: entry.type === "other" ? typeFlag : "", offset: 0 };
    const { facts } = indexed;
    entries.push({ entry: of, facts: entry.sizeBytes === 0 ? { ...facts, dataOffset: 0 } : facts }); // an index has none
  }
  assert.ok(indexed.end());
  return { entries, warnings, archiveBytes: decoder.offset, index: Buffer.concat(parts) };
}

function insistOnFacts(archive: Uint8Array, facts: DataFacts, entry: DecodedEntry | undefined): void {
  assert.ok(entry);
  if (entry.sizeBytes === 0) return assert.equal(facts.digest, undefined);
  const data = Buffer.from(entry.content, "latin1");
  const { segments = [{ offset: 0, length: entry.sizeBytes }] } = entry;
  const hash = createHash("sha256");
  let [at, taken] = [0, 0];
  if (entry.sizeBytes < 2 ** 28) {
    for (const { offset, length } of segments) {
      hash.update(Buffer.alloc(offset - at)).update(data.subarray(taken, taken + length));
      at = offset + length;
      taken += length;
    }
    hash.update(Buffer.alloc(entry.sizeBytes - at));
    assert.equal(facts.digest, hash.digest("hex"), entry.path);
  }
  if (entry.segments !== undefined) assert.equal(facts.dataDigest, createHash("sha256").update(data).digest("hex"));
  const stored = Buffer.from(archive.subarray(facts.dataOffset, facts.dataOffset + data.length));
  assert.ok(stored.equals(data), entry.path);
}

/** What an index keeps of an entry: not where it was, and the type flag only where it says more than the type. */
function asIndexed({ content: _content, ...entry }: DecodedEntry): Entry {
  return { ...entry, typeFlag: entry.type === "other" ? entry.typeFlag : "", offset: 0 };
}

interface Found {
  readonly entries: readonly { readonly entry: Entry; readonly facts: DataFacts }[];
  readonly warnings: readonly string[];
  readonly archiveBytes: number;
}

function read(index: Uint8Array, chunkBytes = index.length, strict = false): Found {
  const warnings: string[] = [];
  const entries: Found["entries"][number][] = [];
  const decoder = new TocDecoder(
    inChunks(index, () => chunkBytes),
    { strict, warning: (code) => warnings.push(code) },
  );
  for (let entry = decoder.next(); entry !== undefined; entry = decoder.next())
    entries.push({ entry: { ...entry, ...buffers(entry) }, facts: decoder.facts });
  return { entries, warnings, archiveBytes: decoder.archiveBytes };
}

/** The values of attributes as plain arrays of bytes, as the decoder of archives has them. */
function buffers({ xattrs }: Entry): Pick<Entry, "xattrs"> {
  if (xattrs === undefined) return {};
  return { xattrs: new Map([...xattrs].map(([name, value]) => [name, Uint8Array.from(value)])) };
}

function indexOf(archive: Uint8Array): Buffer {
  const parts: Uint8Array[] = [];
  const holes = new DigestibleHoles({ totalBytes: 2 ** 28 });
  const digests: TocOptions["digests"] = (entry, decoder) =>
    entry.sizeBytes === 0 ? {} : dataDigests(entry, decoder, holes);
  const isComplete = writeToc(whole(archive), { limits: defaultLimits, digests, write: (bytes) => parts.push(bytes) });
  assert.ok(isComplete);
  return Buffer.concat(parts);
}

function whole(archive: Uint8Array) {
  return inChunks(archive, () => 700);
}

function refused(archive: Uint8Array): boolean {
  try {
    decoded(archive);
    return false;
  } catch (error) {
    if (isOciUnpackError(error)) return true;
    throw error;
  }
}
