import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { CompressedInput } from "../../src/blob/compressed-input.ts";
import { decompress } from "../../src/blob/decompressed.ts";
import { DecompressedOutput } from "../../src/blob/decompressed-output.ts";
import { BitWriter } from "../blob/bit-writer.ts";
import { joined } from "../support/tar-header.ts";
import { assertLinear, fourTimes, processorTime } from "./growth.ts";

interface Stream {
  readonly few: number;
  readonly make: (count: number) => Uint8Array;
  /** How many bytes come at a time. Default: 64 KiB, as from a ring. */
  readonly chunkBytes?: number;
}

const zstdMagic = [0x28, 0xb5, 0x2f, 0xfd];
/** A frame's header that asks for a window of 128 MiB, and says nothing of the content's size. */
const widestFrame = Uint8Array.from([...zstdMagic, 0x00, 0x88]);
const lastEmptyBlock = Uint8Array.from([0x01, 0x00, 0x00]);

const streams: Readonly<Record<string, Stream>> = {
  "gzip members without content": { few: 2000, make: (count) => repeated(gzipSync(""), count) },
  "gzip members of one byte": { few: 2000, make: (count) => repeated(gzipSync("x"), count) },
  "gzip members, each with zeros behind it": {
    few: 2000,
    make: (count) => repeated(joined(gzipSync(""), new Uint8Array(100)), count),
  },
  "empty stored blocks": { few: 20_000, make: (count) => gzipMember(repeated(stored(""), count)) },
  "stored blocks of one byte": { few: 20_000, make: (count) => gzipMember(repeated(stored("x"), count)) },
  "blocks with codes of their own, and nothing else": {
    few: 1000,
    make(count) {
      const bits = new BitWriter();
      for (let index = 0; index < count; index += 1) emptyDynamicBlock(bits);
      bits.number(1, 1).number(1, 2).code("0000000"); // a last block that says nothing
      return Uint8Array.from([...gzipHeader(0), ...bits.bytes(), ...trailer]);
    },
  },
  "characters in the name of a gzip member": {
    few: 20_000,
    make: (count) => Uint8Array.from([...gzipHeader(0x08), ...Array<number>(count).fill(0x78), 0, ...noData]),
  },
  "bytes of gzip data, one at a time": {
    few: 10_000,
    make: (count) => gzipSync(noise(count)),
    chunkBytes: 1,
  },
  "zeros behind gzip data, one at a time": {
    few: 10_000,
    make: (count) => joined(gzipSync(""), new Uint8Array(count)),
    chunkBytes: 1,
  },
  "bytes of rubbish behind gzip data": { few: 20_000, make: (count) => joined(gzipSync(""), noise(count)) },
  "zstd frames without content, each with the widest window": {
    few: 100,
    make: (count) => repeated(joined(widestFrame, lastEmptyBlock), count),
  },
  "zstd blocks of one byte in the widest window": {
    few: 100,
    make: (count) => joined(widestFrame, repeated(Uint8Array.from([0x08, 0x00, 0x00, 0x78]), count), lastEmptyBlock),
  },
  "zstd blocks that repeat one byte once": {
    few: 100,
    make: (count) => joined(widestFrame, repeated(Uint8Array.from([0x0a, 0x00, 0x00, 0x78]), count), lastEmptyBlock),
  },
  "empty zstd blocks": {
    few: 1000,
    make: (count) => joined(widestFrame, repeated(new Uint8Array(3), count), lastEmptyBlock),
  },
  "zstd frames to be skipped": {
    few: 2000,
    make: (count) =>
      joined(repeated(Uint8Array.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]), count), widestFrame, lastEmptyBlock),
  },
  "bytes of a zstd frame, one at a time": {
    few: 2000,
    make: (count) => joined(widestFrame, repeated(Uint8Array.from([0x08, 0x00, 0x00, 0x78]), count), lastEmptyBlock),
    chunkBytes: 1,
  },
  "bytes of an archive that is not compressed, one at a time": { few: 10_000, make: noise, chunkBytes: 1 },
};

for (const [what, { few, make, chunkBytes = 65_536 }] of Object.entries(streams)) {
  test(`a stream is decompressed in linear time that has ${fourTimes(few)} ${what}`, () => {
    const made = new Map([few, fourTimes(few)].map((count) => [count, make(count)]));
    return assertLinear(few, (count) => {
      const bytes = made.get(count) ?? new Uint8Array();
      return processorTime(() => decompressed(bytes, chunkBytes));
    });
  });
}

function decompressed(bytes: Uint8Array, chunkBytes: number): void {
  let at = 0;
  const input = new CompressedInput({
    read() {
      const chunk = bytes.subarray(at, at + chunkBytes);
      at += chunk.length;
      return chunk.length === 0 ? undefined : chunk;
    },
  });
  const space = new Uint8Array(256 * 1024);
  const output = new DecompressedOutput(
    { space: () => space, commit() {} },
    {
      limits: { totalBytes: Infinity, expansionRatio: Infinity },
      readBytes: () => input.takenBytes,
      onBytes() {},
    },
  );
  decompress(input, output, {
    ...{ expected: undefined, strict: false, zstdWindowLog: 27, trailingBytes: Infinity, warning() {} },
  });
}

function gzipHeader(flags: number): number[] {
  return [0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3];
}

/** What a member of no bytes ends with. */
const trailer = [0, 0, 0, 0, 0, 0, 0, 0] as const;
/** A last block that says nothing, and the trailer. */
const noData = [0x03, 0x00, ...trailer] as const;

/** A gzip member with such blocks. That its trailer speaks of no bytes is found out at its end. */
function gzipMember(blocks: Uint8Array): Uint8Array {
  return Uint8Array.from([...gzipHeader(0), ...blocks, ...noData]);
}

/** A block that is not compressed and not the last one (RFC 1951, section 3.2.4). */
function stored(content: string): Uint8Array {
  const { length } = content;
  return Uint8Array.from([0, length, 0, ~length & 0xff, 0xff, ...Buffer.from(content)]);
}

/** A block that describes two codes and then ends at once (RFC 1951, section 3.2.7). */
function emptyDynamicBlock(bits: BitWriter): void {
  bits.number(0, 1).number(2, 2).number(0, 5).number(0, 5).number(14, 4);
  // Lengths of the codes for lengths 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1: of 18 and 1 one bit each.
  for (let index = 0; index < 18; index += 1) bits.number(index === 2 || index === 17 ? 1 : 0, 3);
  const [one, zeros] = ["0", "1"];
  bits.code(zeros).number(127, 7).code(zeros).number(107, 7); // 138 + 118 literals that have no code
  bits.code(one).code(one); // the end of the block, and one distance
  bits.code("0"); // the block's end
}

function repeated(bytes: Uint8Array, count: number): Uint8Array {
  return joined(...Array<Uint8Array>(count).fill(bytes));
}

/** Bytes without a pattern that deflate would find. */
function noise(count: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 24) | 1;
  });
}
