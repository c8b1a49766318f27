import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CompressedInput } from "../../src/blob/compressed-input.ts";
import { decompress } from "../../src/blob/decompressed.ts";
import { DecompressedOutput } from "../../src/blob/decompressed-output.ts";
import { nativeZstd, type SyncDecompressor, stepThrough } from "../../src/blob/native-zstd.ts";
import { passSmallFrames } from "../../src/blob/small-frames.ts";
import { passFrame } from "../../src/blob/zstd-frame.ts";
import { zstdInWebAssembly } from "../../src/blob/zstd-in-web-assembly.ts";
import { Random } from "../model/random.ts";
import { damaged } from "../streams/damaged.ts";
import { smallFrame, smallToolFrames } from "../streams/zstd-frames.ts";
import { skipWithout } from "../support/tools.ts";

const windowLog = 27;

const decompressors: Readonly<Record<string, () => SyncDecompressor | undefined>> = {
  "Node's zstd": () => nativeZstd(windowLog),
  "zstd in WebAssembly": zstdInWebAssembly,
};

interface Outcome {
  readonly bytes: Buffer;
  readonly failure: string | undefined;
}

/** What comes of frames that are in hand, in pieces of `chunkBytes`; frame by frame, or small ones at once. */
function outcomeOf(decompressor: SyncDecompressor, frames: Buffer, chunkBytes: number, atOnce: boolean): Outcome {
  const pieces: Buffer[] = [];
  const space = new Uint8Array(50_000);
  const output = {
    space: () => space,
    commit: (length: number) => pieces.push(Buffer.from(space.subarray(0, length))),
  };
  const input = chunked(frames, chunkBytes);
  let failure: string | undefined;
  try {
    while (input.peek() !== undefined) {
      if (atOnce && passSmallFrames(input, windowLog, decompressor, output)) continue;
      passFrame(input, windowLog, (bytes) => stepThrough(decompressor, bytes, output));
    }
  } catch (error) {
    failure = `${error}`;
  }
  return { bytes: Buffer.concat(pieces), failure };
}

function chunked(bytes: Uint8Array, chunkBytes: number, onRead: () => void = () => {}): CompressedInput {
  let position = 0;
  return new CompressedInput({
    read() {
      onRead();
      const chunk = bytes.subarray(position, position + chunkBytes);
      position += chunk.length;
      return chunk.length === 0 ? undefined : chunk;
    },
  });
}

/** How much of a damaged frame comes out depends on the memory that earlier ones left. One block is the most. */
function isContinued(bytes: Buffer, others: Buffer): boolean {
  const length = Math.min(bytes.length, others.length);
  const isNear = Math.abs(bytes.length - others.length) <= 131_072;
  return isNear && bytes.subarray(0, length).equals(others.subarray(0, length));
}

const nothing = Buffer.alloc(0);

function fresh(make: () => SyncDecompressor | undefined): SyncDecompressor {
  return make() ?? assert.fail("this Node has none");
}

/** Frames in a row, as zstd:chunked has them. */
function row(random: Random, count: number): Buffer {
  const ofTheTool = smallToolFrames();
  const frame = () => (random.chance(0.6) ? random.oneOf(ofTheTool) : smallFrame(random)).compressed;
  return Buffer.concat(Array.from({ length: count }, frame));
}

/** A frame of one stored block, with the size of its content and a window of a KiB. */
function storedWithWindow(contentBytes: number, statedBytes = contentBytes): Buffer {
  const frame = Buffer.alloc(11 + contentBytes, "x");
  frame.writeUInt32LE(0xfd2fb528);
  frame.writeUInt8(0x40, 4);
  frame.writeUInt8(0, 5);
  frame.writeUInt16LE(statedBytes - 256, 6);
  frame.writeUIntLE((contentBytes << 3) | 1, 8, 3);
  return frame;
}

for (const [name, make] of Object.entries(decompressors)) {
  const isThere = name !== "Node's zstd" || nativeZstd(windowLog) !== undefined;
  const skip = isThere ? skipWithout("zstd") : "this Node has none";

  describe(`small frames at once, by ${name}`, { skip }, () => {
    test("come to what they come to block by block, whole and damaged", () => {
      const random = new Random(20);
      for (let round = 0; round < 200; round += 1) {
        const whole = row(random, 1 + random.below(20));
        const frames = random.chance(0.3) ? whole : damaged(whole, random);
        const chunkBytes = random.oneOf([frames.length + 1, 262_144, 10_000, 500, 20]);
        const [atOnce, inOrder] = [true, false].map((way) => {
          const decompressor = fresh(make);
          const outcome = outcomeOf(decompressor, frames, chunkBytes, way);
          decompressor.close();
          return outcome;
        });
        assert.equal(atOnce?.failure, inOrder?.failure, `round ${round}`);
        if (atOnce?.failure === undefined) assert.ok(atOnce?.bytes.equals(inOrder?.bytes ?? nothing), `round ${round}`);
        else assert.ok(isContinued(atOnce.bytes, inOrder?.bytes ?? nothing), `round ${round}`);
      }
    });

    test("need few calls: none for a header, a block or a checksum", () => {
      const decompressor = fresh(make);
      let calls = 0;
      const counting: SyncDecompressor = {
        step: () => assert.fail("a small frame is decoded block by block"),
        frames(...operands) {
          calls += 1;
          return decompressor.frames(...operands);
        },
        close() {},
      };
      const frames = Buffer.concat(Array.from({ length: 1000 }, () => storedWithWindow(600)));
      const { bytes, failure } = outcomeOf(counting, frames, frames.length, true);
      assert.deepEqual([bytes.length, failure], [600_000, undefined]);
      assert.ok(calls <= 15, `${calls} calls`);
    });

    test("what zstd takes as a whole, but not block by block, is refused at once as well", () => {
      for (const wrong of [storedWithWindow(2000), storedWithWindow(700, 701), storedWithWindow(1030, 1000)]) {
        const frames = Buffer.concat([storedWithWindow(1000), wrong, storedWithWindow(1000)]);
        const { bytes, failure } = outcomeOf(fresh(make), frames, frames.length, true);
        const inOrder = outcomeOf(fresh(make), frames, frames.length, false);
        assert.match(`${failure}`, /zstd data: Data corruption detected/);
        assert.equal(failure, inOrder.failure);
        assert.ok(isContinued(bytes, inOrder.bytes));
      }
    });
  });
}

test("what comes of small frames is handed on together, before more is waited for, and before what is wrong", () => {
  const frame = storedWithWindow(1000);
  const wrong = storedWithWindow(700, 701);
  const chunkBytes = 20 * frame.length;
  const frames = Buffer.concat([...Array.from({ length: 100 }, () => frame), wrong]);
  const handedOn: number[] = [];
  const atReads: number[] = [];
  const total = () => handedOn.reduce((sum, length) => sum + length, 0);
  const input = chunked(frames, chunkBytes, () => atReads.push(total()));
  const space = new Uint8Array(1 << 20);
  const output = new DecompressedOutput(
    { space: () => space, commit: (length) => handedOn.push(length) },
    { limits: { totalBytes: 1e9, expansionRatio: 2000 }, readBytes: () => input.takenBytes, onBytes: () => {} },
  );
  const rest = { expected: undefined, strict: false, zstdWindowLog: windowLog, trailingBytes: 0, warning: () => {} };
  assert.throws(() => decompress(input, output, rest), { code: "CORRUPT_LAYER" });
  assert.deepEqual(atReads, [0, 20_000, 40_000, 60_000, 80_000, 100_000]);
  assert.equal(handedOn.length, total() > 100_000 ? 6 : 5);
});
