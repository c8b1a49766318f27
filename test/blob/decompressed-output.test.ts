import assert from "node:assert/strict";
import test from "node:test";
import { copyBytes } from "../../src/blob/decompressed-output.ts";

const memories = {
  "memory of one's own": (length: number) => new Uint8Array(length),
  "shared memory": (length: number) => new Uint8Array(new SharedArrayBuffer(length)),
};

for (const [name, memory] of Object.entries(memories)) {
  test(`bytes are copied into ${name} as they are, wherever both begin, and nothing beside them changes`, () => {
    for (let length = 0; length < 70; length += 1) {
      for (let alignment = 0; alignment < 8; alignment += 1) {
        const bytes = Uint8Array.from({ length: alignment + length }, (_, index) => 255 - index).subarray(alignment);
        const all = memory(100).fill(7);
        copyBytes(bytes, all.subarray(3));
        const expected = [7, 7, 7, ...bytes, ...new Array(97 - length).fill(7)];
        assert.deepEqual([...all], expected);
      }
    }
  });
}

test("bytes that do not fit are refused, not cut off", () => {
  const few = new Uint8Array(3);
  assert.throws(() => copyBytes(new Uint8Array(4), few), RangeError);
  assert.deepEqual([...few], [0, 0, 0]);
});
