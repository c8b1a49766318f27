import assert from "node:assert/strict";
import { test } from "node:test";
import { CompressedInput } from "../../src/blob/compressed-input.ts";

function inputOf(...chunks: readonly string[]): CompressedInput {
  const left = chunks.map((chunk) => Buffer.from(chunk));
  return new CompressedInput({ read: () => left.shift() });
}

function text(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString();
}

test("no more can be taken of an input than it showed, and nothing can be put back", () => {
  for (const length of [-1, -2, 4, Number.NaN]) {
    const input = inputOf("abc", "def");
    input.peek();
    assert.throws(() => input.take(length), RangeError, `${length} bytes`);
    assert.deepEqual([input.takenBytes, text(input.peek())], [0, "abc"]);
  }
});

test("bytes are taken across chunks, none is read that is not taken, and how many are missing is told", () => {
  let reads = 0;
  const chunks = ["abc", "", "defg"];
  const input = new CompressedInput({
    read() {
      const chunk = chunks[reads];
      reads += 1;
      return chunk === undefined ? undefined : Buffer.from(chunk);
    },
  });
  const seen: string[] = [];
  const see = (piece: Uint8Array) => seen.push(`${text(piece)} after ${input.takenBytes}`);
  assert.equal(input.takeAll(0, see), 0);
  assert.equal(reads, 0);
  assert.equal(input.takeAll(3, see), 0);
  assert.equal(reads, 1);
  assert.equal(input.takeAll(2, see), 0);
  assert.equal(input.takeAll(5, see), 3);
  assert.deepEqual(seen, ["abc after 0", " after 3", "de after 3", "fg after 5"]);
});

test("an input goes on where it was left, across its chunks", () => {
  const input = inputOf("abc", "", "def");
  assert.equal(text(input.peekAtLeast(4)), "abcdef");
  input.take(2);
  assert.equal(input.byte(), "c".charCodeAt(0));
  input.take(0);
  assert.deepEqual([text(input.peek()), input.takenBytes], ["def", 3]);
  input.take(3);
  assert.equal(input.peek(), undefined);
});
