import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { ZstdEnding } from "../../src/blob/zstd-ending.ts";
import { skipWithout } from "../support/tools.ts";

const skip = skipWithout("zstd");

function frame(bytes: Uint8Array, ...options: readonly string[]): Buffer {
  return execFileSync("zstd", ["-q", "-c", ...options], { input: bytes });
}

function isWhole(bytes: Uint8Array, chunkBytes = bytes.length): boolean {
  const ending = new ZstdEnding();
  for (let start = 0; start < bytes.length; start += chunkBytes)
    ending.update(bytes.subarray(start, start + chunkBytes));
  return ending.isWhole;
}

test("zstd data is whole where its last frame ends, and nowhere before, however it arrives", { skip }, () => {
  const noise = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * index * 31) >>> 5));
  const skippable = Buffer.concat([Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0]), Buffer.from("abc")]);
  const frames = [frame(noise), frame(Buffer.alloc(400_000)), skippable, frame(Buffer.from("x"), "--no-check")];
  const all = Buffer.concat(frames);
  for (const chunkBytes of [1, 7, 4096, all.length]) assert.ok(isWhole(all, chunkBytes), `chunks of ${chunkBytes}`);
  let end = 0;
  const ends = new Set(frames.map(({ length }) => (end += length)));
  const ending = new ZstdEnding();
  for (const [index, byte] of all.entries()) {
    ending.update(Uint8Array.of(byte));
    assert.equal(ending.isWhole, ends.has(index + 1), `after byte ${index + 1}`);
  }
});
