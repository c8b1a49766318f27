import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { CompressedInput } from "../../src/blob/compressed-input.ts";
import { nativeZstd, type SyncDecompressor, stepThrough } from "../../src/blob/native-zstd.ts";
import { passFrame } from "../../src/blob/zstd-frame.ts";
import { zstdInWebAssembly } from "../../src/blob/zstd-in-web-assembly.ts";
import { processorSeconds } from "../support/processor-time.ts";
import { skipWithout } from "../support/tools.ts";

const skip = skipWithout("zstd");
const windowLog = 27;

const decompressors: Readonly<Record<string, () => SyncDecompressor | undefined>> = {
  "Node's zstd": () => nativeZstd(windowLog),
  "zstd in WebAssembly": zstdInWebAssembly,
};

/** Decompresses all frames, in pieces of the given lengths. */
function unzstd(
  made: SyncDecompressor | undefined,
  bytes: Uint8Array,
  { chunkBytes = 65536, spaceBytes = 65536 } = {},
): Buffer {
  const decompressor = made ?? assert.fail("this Node has none");
  const pieces: Buffer[] = [];
  let position = 0;
  const input = new CompressedInput({
    read() {
      const chunk = bytes.subarray(position, position + chunkBytes);
      position += chunk.length;
      return chunk.length === 0 ? undefined : chunk;
    },
  });
  const space = new Uint8Array(spaceBytes);
  try {
    while (input.peek() !== undefined) {
      passFrame(input, windowLog, (piece) => {
        stepThrough(decompressor, piece, {
          space: () => space,
          commit: (length) => pieces.push(Buffer.from(space.subarray(0, length))),
        });
      });
    }
  } finally {
    decompressor.close();
  }
  return Buffer.concat(pieces);
}

function zstd(bytes: Uint8Array, ...options: readonly string[]): Buffer {
  return execFileSync("zstd", ["-q", "-c", ...options], { input: bytes, maxBuffer: 1e9 });
}

/** A frame's header with a window of `2 ** log` bytes. */
function frameHeader(log: number): Buffer {
  return Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3]);
}

/** A block of bytes as they are, or of one byte that is repeated. */
function block(content: Uint8Array, { isLast = false, repeated = 0 } = {}): Buffer {
  const header = Buffer.alloc(3);
  const [type, size] = repeated > 0 ? [1, repeated] : [0, content.length];
  header.writeUIntLE((size << 3) | (type << 1) | (isLast ? 1 : 0), 0, 3);
  return Buffer.concat([header, content]);
}

function times(count: number, bytes: Uint8Array): Buffer {
  return Buffer.alloc(count * bytes.length, bytes);
}

/** What takes an old decoder, which makes room for a window and moves it, seconds and gigabytes. */
const shapes: Readonly<Record<string, (log: number) => Buffer>> = {
  "empty frames": (log) => times(10_000, Buffer.concat([frameHeader(log), block(Buffer.alloc(0), { isLast: true })])),
  "frames of a byte": (log) =>
    times(10_000, Buffer.concat([frameHeader(log), block(Buffer.from("x"), { isLast: true })])),
  "blocks of a byte": (log) => {
    const last = block(Buffer.alloc(0), { isLast: true });
    return Buffer.concat([frameHeader(log), times(20_000, block(Buffer.from("x"))), last]);
  },
};

for (const [name, decompressor] of Object.entries(decompressors)) {
  const isThere = name !== "Node's zstd" || nativeZstd(windowLog) !== undefined;
  describe(name, { skip: isThere ? false : "this Node has none" }, () => {
    test("gives what was compressed, however it was and however it arrives", { skip }, () => {
      const text = Buffer.from("the same bytes, however they are wrapped; ".repeat(5000));
      const content = Buffer.concat([text, randomBytes(150_000), Buffer.alloc(600_000), text]);
      const forms = [["-1"], ["-19"], ["--no-check"], ["--long=27"], ["--fast=5"]].map((options) =>
        zstd(content, ...options),
      );
      for (const compressed of [...forms, Buffer.concat(forms)]) {
        const expected =
          compressed === forms.at(-1) || forms.includes(compressed) ? content : times(forms.length, content);
        for (const chunkBytes of [65536, 7777, compressed.length]) {
          for (const spaceBytes of [1 << 20, 131_072, 5_000]) {
            const bytes = unzstd(decompressor(), compressed, { chunkBytes, spaceBytes });
            assert.ok(bytes.equals(expected), `chunks of ${chunkBytes}, space of ${spaceBytes}`);
          }
        }
      }
      const little = zstd(text.subarray(0, 5000));
      for (const spaceBytes of [1, 7, 5000]) {
        const bytes = unzstd(decompressor(), little, { chunkBytes: 1, spaceBytes });
        assert.ok(bytes.equals(text.subarray(0, 5000)), `space of ${spaceBytes}`);
      }
    });

    test("says in zstd's words what is wrong", { skip }, () => {
      const compressed = zstd(Buffer.from("the same bytes, however they are wrapped; ".repeat(5000)));
      const wrongSum = Buffer.from(compressed);
      wrongSum.writeUInt32LE(0, wrongSum.length - 4);
      const wrongFlag = Buffer.from(compressed);
      wrongFlag[4] = (wrongFlag[4] ?? 0) | 8;
      const wrongBlock = Buffer.from(compressed);
      wrongBlock[6] = (wrongBlock[6] ?? 0) | 6; // a type of block that there is not
      const needsDictionary = Buffer.from([
        0x28,
        0xb5,
        0x2f,
        0xfd,
        1,
        0,
        7,
        ...block(Buffer.alloc(0), { isLast: true }),
      ]);
      for (const [wrong, words] of [
        [wrongSum, "Restored data doesn't match checksum"],
        [wrongFlag, "Unsupported frame parameter"],
        [wrongBlock, "Data corruption detected"],
        [needsDictionary, "Dictionary mismatch"],
      ] as const) {
        assert.throws(() => unzstd(decompressor(), wrong), {
          code: "CORRUPT_LAYER",
          message: `cannot decompress: zstd data: ${words}`,
        });
      }
    });

    for (const [shape, make] of Object.entries(shapes)) {
      test(`${shape} cost no more with the largest window than with the smallest`, () => {
        const cost = (log: number) => {
          const bytes = make(log);
          return Math.min(...[1, 2].map(() => processorSeconds(() => unzstd(decompressor(), bytes))));
        };
        assert.ok(cost(windowLog) < 10 * cost(10) + 500_000);
      });
    }

    test("what a frame, or a decompressor, needed is there for the next one", () => {
      const piece = randomBytes(100_000);
      const last = block(piece, { isLast: true });
      // Without, they would need 5 GiB.
      const frames = [27, 26, 27, 25, 27].map((log) => Buffer.concat([frameHeader(log), block(piece), last]));
      for (let time = 0; time < 8; time += 1) {
        assert.ok(unzstd(decompressor(), Buffer.concat(frames)).equals(times(10, piece)));
      }
    });
  });
}
