import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { resultsTogether, together, unlessAborted } from "../../src/base/abort.ts";

/** Runs until it is aborted, then takes a moment to stop, as a thread or socket would. */
function longTask(stopped: string[]): (signal: AbortSignal) => Promise<void> {
  return async (signal) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    await delay(5);
    stopped.push("stopped");
    throw new Error("stopped because another failed");
  };
}

test("the first failure stops the others, and is thrown when they have stopped", async () => {
  const stopped: string[] = [];
  const failure = new Error("the first");
  await assert.rejects(
    together(undefined, [longTask(stopped), () => Promise.reject(failure), longTask(stopped)]),
    failure,
  );
  assert.deepEqual(stopped, ["stopped", "stopped"]);
});

test("an abort from outside stops all with the signal's own reason", async () => {
  const stopped: string[] = [];
  const controller = new AbortController();
  const reason = { any: "value" };
  setTimeout(() => controller.abort(reason), 5);
  await assert.rejects(together(controller.signal, [longTask(stopped)]), (error) => error === reason);
  assert.deepEqual(stopped, ["stopped"]);
});

test("tasks that all succeed are waited for", async () => {
  const done: number[] = [];
  await together(
    undefined,
    [3, 1, 2].map((milliseconds) => async () => {
      await delay(milliseconds);
      done.push(milliseconds);
    }),
  );
  assert.deepEqual(done.toSorted(), [1, 2, 3]);
});

test("whoever is aborted already waits for nothing, and what they would have waited for may fail", async () => {
  const reason = new Error("aborted before");
  let fail: (error: unknown) => void = () => {};
  const promise = new Promise<void>((_, reject) => {
    fail = reject;
  });
  await assert.rejects(unlessAborted(promise, AbortSignal.abort(reason)), reason);
  fail(new Error("nobody waits")); // the test fails if this is an unhandled rejection
  await delay(1);
});

test("results come by their names, and after a failure when nothing runs any more", async () => {
  const tasks = { one: async () => 1, two: () => delay(1).then(() => "2") };
  assert.deepEqual(await resultsTogether(undefined, tasks), { one: 1, two: "2" });
  let hasEnded = false;
  const failure = new Error("failed");
  const failing = {
    one: () => Promise.reject(failure),
    async two() {
      await delay(50);
      hasEnded = true;
    },
  };
  await assert.rejects(resultsTogether(undefined, failing), (error) => error === failure);
  assert.ok(hasEnded);
});
