import assert from "node:assert/strict";
import { test } from "node:test";
import { verified } from "../../src/blob/verified.ts";
import { digestOf } from "../../src/oci/digest.ts";

const blob = Buffer.from("the bytes of a blob");
const expected = { digest: digestOf(blob), sizeBytes: blob.length };

test("bytes that are the expected ones pass, however they arrive", async () => {
  const passed: number[] = [];
  for await (const chunk of verified(expected, chunks(...blob))) passed.push(...chunk);
  assert.deepEqual(passed, [...blob]);
});

test("S15: an endless blob is refused where it grows too long", async () => {
  let taken = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      taken += 1;
      yield new Uint8Array(10);
    }
  }
  await assert.rejects(readAll(endless()), { code: "SIZE_MISMATCH", message: /at least 20 bytes came/ });
  assert.equal(taken, 2);
});

test("S15: a blob that is shorter than expected is refused by its size", async () => {
  await assert.rejects(readAll(chunks(...blob.subarray(1))), { code: "SIZE_MISMATCH", message: /18 bytes came/ });
});

test("a blob of the right size and another digest is refused", async () => {
  await assert.rejects(readAll(chunks(...blob.toReversed())), { code: "DIGEST_MISMATCH" });
});

async function readAll(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _chunk of verified(expected, bytes));
}

async function* chunks(...bytes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (const byte of bytes) yield Uint8Array.of(byte);
}
