import assert from "node:assert/strict";
import { test } from "node:test";
import { BlockReader } from "../../src/tar/block-reader.ts";
import type { ByteSource } from "../../src/tar/entry.ts";
import { cutAtRandom, randomBytes, sourceOfPieces } from "../model/cuts.ts";
import { Random } from "../model/random.ts";

/** Gives the pieces, and passes over some of what is asked for, now and then. */
function seekingSource(bytes: Uint8Array, random: Random): ByteSource {
  let position = 0;
  return {
    read() {
      const piece = bytes.subarray(position, position + 1 + random.below(40));
      position += piece.length;
      return piece.length === 0 ? undefined : piece;
    },
    skip(count) {
      const skipped = random.chance(0.3) ? 0 : Math.min(random.below(count + 1), bytes.length - position);
      position += skipped;
      return skipped;
    },
  };
}

test("however a source is cut, and whatever it can pass over, a reader is where a position in the bytes would be", () => {
  for (let seed = 0; seed < 3000; seed += 1) {
    const random = new Random(seed);
    const bytes = randomBytes(random, random.below(500));
    const source = random.chance(0.5)
      ? seekingSource(bytes, random)
      : sourceOfPieces(cutAtRandom(bytes, random, random.oneOf([1, 20, 500])));
    const reader = new BlockReader(source);
    for (let position = 0, round = 0; round < 40; round += 1) {
      const count = 1 + random.below(random.oneOf([5, 60, 300]));
      const rest = bytes.length - position;
      if (random.chance(0.3)) {
        const skipped = reader.skip(count);
        assert.equal(skipped, Math.min(count, rest), `seed ${seed}`);
        position += skipped;
      } else if (random.chance(0.5)) {
        const target = new Uint8Array(count);
        const filled = reader.fill(target);
        assert.equal(filled, Math.min(count, rest), `seed ${seed}`);
        assert.deepEqual(target.subarray(0, filled), bytes.slice(position, position + filled), `seed ${seed}`);
        position += filled;
      } else {
        const piece = reader.piece(count);
        if (rest === 0) assert.equal(piece, undefined);
        else assert.deepEqual(piece, bytes.slice(position, position + (piece?.length ?? 0)), `seed ${seed}`);
        assert.ok((piece?.length ?? 0) <= count);
        position += piece?.length ?? 0;
      }
      assert.equal(reader.offset, position, `seed ${seed}`);
    }
  }
});

test("a source that passes over less than nothing, or more than it was asked to, is not believed", () => {
  for (const skipped of [-1, 11, Number.NaN]) {
    const reader = new BlockReader({ read: () => Uint8Array.of(1), skip: () => skipped });
    assert.throws(() => reader.skip(10), RangeError);
    assert.equal(reader.offset, 0);
  }
});
