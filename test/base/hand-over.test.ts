import assert from "node:assert/strict";
import { test } from "node:test";
import { handedOver } from "../../src/base/hand-over.ts";

test("values come in order, each when it is asked for", async () => {
  const told: string[] = [];
  const numbers = handedOver<number>(async (give) => {
    for (const number of [1, 2, 3]) {
      await give(number);
      told.push(`taken ${number}`);
    }
  });
  for await (const number of numbers) told.push(`got ${number}`);
  assert.deepEqual(told, ["got 1", "taken 1", "got 2", "taken 2", "got 3", "taken 3"]);
});

test("what fails after the last value fails the iteration", async () => {
  const failure = new Error("no more");
  const seen: number[] = [];
  const numbers = handedOver<number>(async (give) => {
    await give(1);
    throw failure;
  });
  await assert.rejects(
    async () => {
      for await (const number of numbers) seen.push(number);
    },
    (error) => error === failure,
  );
  assert.deepEqual(seen, [1]);
});

test("whoever leaves the iteration goes on when nothing runs any more", async () => {
  let isRunning = true;
  const numbers = handedOver<number>(async (give, signal) => {
    try {
      for (let number = 0; ; number += 1) await give(number);
    } finally {
      assert.ok(signal.aborted);
      await new Promise(setImmediate);
      isRunning = false;
    }
  });
  for await (const number of numbers) if (number === 3) break;
  assert.equal(isRunning, false);
});
