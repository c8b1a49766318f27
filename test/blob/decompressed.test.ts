import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { deflateRawSync, gzipSync } from "node:zlib";
import { OciUnpackError } from "../../src/base/errors.ts";
import type { WarningCode } from "../../src/base/events.ts";
import { defaultLimits } from "../../src/base/limits.ts";
import { CompressedInput } from "../../src/blob/compressed-input.ts";
import { decompress } from "../../src/blob/decompressed.ts";
import { DecompressedOutput } from "../../src/blob/decompressed-output.ts";
import type { LayerCompression } from "../../src/oci/media-type.ts";
import { file, tar } from "../support/tar-builder.ts";
import { third } from "../support/thorough.ts";
import { skipWithout } from "../support/tools.ts";

const text = Buffer.from("the same bytes, however they are wrapped; ".repeat(2000));

interface Outcome {
  readonly bytes: Buffer;
  readonly warnings: WarningCode[];
}

interface Settings {
  readonly expected?: LayerCompression;
  readonly chunkBytes?: number;
  readonly spaceBytes?: number;
  readonly strict?: boolean;
  readonly totalBytes?: number;
  readonly expansionRatio?: number;
}

/** How often the end of the input is asked for while it is decompressed. */
function endsRead(compressed: Uint8Array): number {
  const chunks = compressed.length === 0 ? [] : [compressed];
  let ends = 0;
  const input = new CompressedInput({
    read() {
      const chunk = chunks.pop();
      if (chunk === undefined) ends += 1;
      return chunk;
    },
  });
  const space = new Uint8Array(1 << 20);
  const output = new DecompressedOutput(
    { space: () => space, commit: () => {} },
    { limits: { totalBytes: 1e9, expansionRatio: 2000 }, readBytes: () => input.takenBytes, onBytes: () => {} },
  );
  decompress(input, output, {
    expected: undefined,
    strict: false,
    zstdWindowLog: 27,
    trailingBytes: 1000,
    warning: () => {},
  });
  return ends;
}

/** Decompresses bytes that arrive, and leave, in pieces of the given lengths. */
function decompressed(compressed: Uint8Array, settings: Settings = {}): Outcome {
  const { chunkBytes = 65536, spaceBytes = 65536 } = settings;
  const pieces: Buffer[] = [];
  const warnings: WarningCode[] = [];
  let position = 0;
  const input = new CompressedInput({
    read() {
      const chunk = Uint8Array.from(compressed.subarray(position, position + chunkBytes));
      position += chunk.length;
      return chunk.length === 0 ? undefined : chunk;
    },
  });
  let space = new Uint8Array(spaceBytes);
  const output = new DecompressedOutput(
    {
      space: () => space,
      commit(length) {
        pieces.push(Buffer.from(space.subarray(0, length)));
        space = new Uint8Array(spaceBytes);
      },
    },
    {
      limits: { totalBytes: settings.totalBytes ?? 1e9, expansionRatio: settings.expansionRatio ?? 2000 },
      readBytes: () => input.takenBytes,
      onBytes: () => {},
    },
  );
  decompress(input, output, {
    expected: settings.expected,
    strict: settings.strict ?? false,
    zstdWindowLog: 27,
    trailingBytes: 1000,
    warning: (code) => warnings.push(code),
  });
  assert.equal(input.peek(), undefined, "the input is read to its end");
  return { bytes: Buffer.concat(pieces), warnings };
}

/** As little zstd data as possible: blocks that repeat a byte. */
function zstdOfZeros(length: number): Buffer {
  const blockBytes = 128 * 1024;
  const block = Buffer.from([0, 0, 0, 0]);
  block.writeUIntLE((blockBytes << 3) | 2, 0, 3);
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x38]); // a window as large as a block
  return Buffer.concat([header, Buffer.alloc((length / blockBytes) * 4, block), Buffer.from([1, 0, 0])]);
}

function zstd(bytes: Uint8Array): Buffer {
  return execFileSync("zstd", ["-q", "-c"], { input: bytes });
}

const withZstd = { skip: skipWithout("zstd") };

/** One gzip member with every optional header field there is. */
function adornedMember(bytes: Uint8Array): Buffer {
  const header = Buffer.from([0x1f, 0x8b, 8, 0x1f, 0, 0, 0, 0, 0, 3, 3, 0, 1, 2, 3]);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([header, Buffer.from("name\0comment\0"), Buffer.from([9, 9]), deflateRawSync(bytes), trailer]);
}

const halves = [text.subarray(0, 70_001), text.subarray(70_001)] as const;
const zeros = Buffer.alloc(700);
const gzipForms: readonly [string, Buffer][] = [
  ["one member", gzipSync(text)],
  ["two members", Buffer.concat(halves.map((half) => gzipSync(half)))],
  ["an empty member between two", Buffer.concat([gzipSync(halves[0]), gzipSync(Buffer.alloc(0)), gzipSync(halves[1])])],
  ["padding of zeros at the end", Buffer.concat([gzipSync(text), zeros])],
  ["padding of zeros between members", Buffer.concat([gzipSync(halves[0]), zeros, gzipSync(halves[1])])],
  ["every optional header field", adornedMember(text)],
  ["stored blocks", gzipSync(text, { level: 0 })],
];

for (const [number, [form, compressed]] of gzipForms.entries()) {
  test(`S4, S5, S7: gzip with ${form} decompresses to the same bytes`, () => {
    assert.deepEqual(decompressed(compressed), { bytes: text, warnings: [] });
  });

  test(`S6: gzip with ${form} decompresses to the same bytes wherever chunks end`, () => {
    for (const chunkBytes of third([1, 2, 7, 511, compressed.length - 1], number)) {
      for (const spaceBytes of [1, 63, 4096]) {
        if (chunkBytes * spaceBytes < 63) continue; // slow, and no other case
        const { bytes } = decompressed(compressed, { chunkBytes, spaceBytes });
        assert.ok(bytes.equals(text), `chunks of ${chunkBytes}, space of ${spaceBytes}`);
      }
    }
  });

  test(`gzip with ${form} cut anywhere is an error or lacks only padding`, () => {
    for (let length = 1; length < compressed.length; length += 1 + (compressed.length >> 7)) {
      let outcome: Outcome | undefined;
      try {
        outcome = decompressed(compressed.subarray(0, length), { expected: "gzip" });
      } catch (error) {
        assert.equal((error as OciUnpackError).code, "CORRUPT_LAYER");
      }
      // Cut between members, what is left is whole in itself: the diffID tells.
      if (outcome !== undefined)
        assert.ok(text.subarray(0, outcome.bytes.length).equals(outcome.bytes) || length === 1);
    }
  });
}

test("a short gzip member with zeros behind it is gzip, whatever its bytes add up to", () => {
  const member = Buffer.from("1f8b080080cc000000ff03000000000000000000", "hex");
  const signedSum = member.reduce((sum, byte) => sum + (byte < 128 ? byte : byte - 256), 0);
  assert.equal(signedSum, -256, "with eight spaces for a checksum it would be the one that zeros state");
  const compressed = Buffer.concat([member, zeros, gzipSync(text)]);
  assert.deepEqual(decompressed(compressed), { bytes: text, warnings: [] });
});

test("S4: what follows the compressed data is left out with a warning, and refused by strict", () => {
  const junk = Buffer.concat([gzipSync(text), Buffer.from("junk")]);
  assert.deepEqual(decompressed(junk), { bytes: text, warnings: ["TRAILING_BYTES"] });
  assert.throws(() => decompressed(junk, { strict: true }), { code: "STRICT_VIOLATION" });
  const muchJunk = Buffer.concat([gzipSync(text), Buffer.alloc(1001, "x")]);
  assert.throws(() => decompressed(muchJunk), { code: "LIMIT_EXCEEDED" });
});

test("S4: what follows zstd frames is left out with a warning, zeros without one", withZstd, () => {
  for (const chunkBytes of [1, 13, 1 << 20]) {
    const junk = Buffer.concat([zstd(text), Buffer.from("xy")]);
    assert.deepEqual(decompressed(junk, { chunkBytes }), { bytes: text, warnings: ["TRAILING_BYTES"] });
    assert.deepEqual(decompressed(Buffer.concat([zstd(text), Buffer.alloc(700)]), { chunkBytes }).warnings, []);
  }
});

test("zstd data that ends within a frame is a corrupt layer", withZstd, () => {
  const compressed = zstd(text);
  for (const length of [4, 6, 12, compressed.length - 1]) {
    assert.throws(() => decompressed(compressed.subarray(0, length)), { code: "CORRUPT_LAYER" }, `${length} bytes`);
  }
});

test("nothing is read on after the end, where the next layer would begin", () => {
  for (const compressed of [Buffer.alloc(0), Buffer.concat([gzipSync(text), Buffer.from("x")]), Buffer.from("abc")]) {
    assert.equal(endsRead(compressed), 1);
  }
});

test("S5: several zstd frames, skippable ones between them, are one stream", withZstd, () => {
  const skippable = Buffer.concat([Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0]), Buffer.from("abc")]);
  const [first, second] = halves;
  const compressed = Buffer.concat([skippable, zstd(first), skippable, zstd(second), skippable]);
  for (const chunkBytes of [1, 13, 1 << 20]) {
    const { bytes, warnings } = decompressed(compressed, { chunkBytes, expected: "zstd" });
    assert.ok(bytes.equals(text), `chunks of ${chunkBytes}`);
    assert.deepEqual(warnings, []);
  }
});

test("malformed zstd data is a corrupt layer", withZstd, () => {
  const compressed = zstd(text);
  compressed.fill(0xee, 9, 30);
  assert.throws(() => decompressed(compressed), { code: "CORRUPT_LAYER" });
});

test("S8: a zstd window of 128 MiB is accepted", withZstd, () => {
  const wide = execFileSync("zstd", ["-q", "-c", "--long=27", "--ultra", "-19"], { input: text });
  assert.ok(decompressed(wide).bytes.equals(text));
});

test("S8: a zstd window of 256 MiB is refused before room is made for it", () => {
  const asking = Buffer.from("28b52ffd0090010000", "hex"); // an empty frame with a window of 2 ** 28 bytes
  assert.throws(() => decompressed(asking), { code: "LIMIT_EXCEEDED", message: /268435456/ });
});

test("S9: a blob of no bytes is an archive of no bytes", () => {
  assert.deepEqual(decompressed(Buffer.alloc(0), { expected: "gzip" }), { bytes: Buffer.alloc(0), warnings: [] });
});

test("S12: the bytes decide, with a warning where the media type disagrees", withZstd, () => {
  const plain = Buffer.concat([Buffer.from("name\0"), text]);
  assert.deepEqual(decompressed(plain, { expected: "gzip" }), { bytes: plain, warnings: ["MEDIA_TYPE_DISAGREES"] });
  assert.deepEqual(decompressed(gzipSync(plain), { expected: "none" }).warnings, ["MEDIA_TYPE_DISAGREES"]);
  assert.deepEqual(decompressed(zstd(plain), { expected: "gzip" }), {
    bytes: plain,
    warnings: ["MEDIA_TYPE_DISAGREES"],
  });
  assert.deepEqual(decompressed(gzipSync(plain)).warnings, []);
  assert.throws(() => decompressed(plain, { expected: "gzip", strict: true }), { code: "STRICT_VIOLATION" });
});

test("compressions that are not for layers are named", () => {
  const xz = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]);
  assert.throws(() => decompressed(xz), { code: "UNSUPPORTED_MEDIA_TYPE", message: /xz/ });
  assert.throws(() => decompressed(Buffer.from("BZh91AY")), { code: "UNSUPPORTED_MEDIA_TYPE", message: /bzip2/ });
});

test("security 10: a bomb stops at the limit of bytes, and at the limit of expansion", () => {
  const bomb = gzipSync(Buffer.alloc(80 * 1024 * 1024), { level: 9 });
  assert.throws(() => decompressed(bomb, { totalBytes: 1_000_000 }), { code: "LIMIT_EXCEEDED", message: /totalBytes/ });
  assert.throws(() => decompressed(bomb, { expansionRatio: 100 }), {
    code: "LIMIT_EXCEEDED",
    message: /expansionRatio/,
  });
});

test("zstd makes more of a byte than gzip can, and is limited accordingly", () => {
  const bomb = zstdOfZeros(80 * 1024 * 1024);
  const { bytes } = decompressed(bomb, { spaceBytes: 1 << 20, expansionRatio: defaultLimits.expansionRatio });
  assert.equal(bytes.length, 80 * 1024 * 1024);
  assert.throws(() => decompressed(bomb, { spaceBytes: 1 << 20, expansionRatio: 100 }), {
    code: "LIMIT_EXCEEDED",
    message: /more than 3200 bytes for each compressed one \(expansionRatio, now 100\)/,
  });
  assert.throws(() => decompressed(bomb, { totalBytes: 1_000_000 }), { code: "LIMIT_EXCEEDED", message: /totalBytes/ });
});

test("an archive whose first name begins like compressed data is an archive", () => {
  for (const magic of ["\x1f\x8b", "\x28\xb5\x2f\xfd", "\x50\x2a\x4d\x18", "BZh", "\xfd7zXZ"]) {
    const archive = Buffer.from(tar(file(Buffer.from(`${magic}91AY`, "latin1"), "1")));
    assert.deepEqual(decompressed(archive, { expected: "none" }), { bytes: archive, warnings: [] });
    assert.ok(decompressed(archive, { chunkBytes: 1 }).bytes.equals(archive), "however it arrives");
    const noArchive = archive.with(100, (archive[100] ?? 0) ^ 1);
    assert.throws(() => decompressed(noArchive), OciUnpackError, "a wrong checksum makes it compressed data again");
  }
});

test("what follows compressed data is no compression of its own, whatever it looks like", () => {
  const junk = Buffer.concat([gzipSync(text), Buffer.from("BZh91AY")]);
  assert.deepEqual(decompressed(junk), { bytes: text, warnings: ["TRAILING_BYTES"] });
});

test("a member whose trailer states another length is refused", () => {
  const lying = Buffer.from(gzipSync(text));
  lying.writeUInt32LE(7, lying.length - 4);
  assert.throws(() => decompressed(lying), { code: "CORRUPT_LAYER", message: /length/ });
});
