import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../model/random.ts";
import { body } from "./bodies.ts";
import { near } from "./boundaries.ts";
import { problemsOfStreams } from "./generator.ts";
import { Rings } from "./through-rings.ts";

const KiB = 1024;

for (const [inputBytes, outputBytes] of [
  [128, 256],
  [4 * KiB, 1 * KiB],
  [64 * KiB, 512 * KiB],
  [2048 * KiB, 4096 * KiB], // the product's
] as const) {
  test(`plain archives that end where rings of ${inputBytes} and ${outputBytes} bytes do come through them whole`, () => {
    // A view spans an eighth of a ring.
    const ends = new Set([0, inputBytes >> 3, inputBytes, outputBytes >> 3, outputBytes]);
    const rings = new Rings(new Random(inputBytes), inputBytes, outputBytes, ends.size * (2 * near + 1));
    for (const end of ends) {
      for (let size = end - near; size <= end + near; size += 1) {
        const content = body("text", Math.max(0, size));
        const stream = { name: `${size} bytes`, compressed: content, content, end: content.length };
        assert.equal(rings.problemOf(stream), undefined, stream.name);
      }
    }
  });
}

test("plain archives of chance come through whole, in chunks and through rings", () => {
  for (const problem of problemsOfStreams(1000, 2, { plain: 1 })) assert.equal(problem, undefined);
});
