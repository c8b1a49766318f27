import assert from "node:assert/strict";
import { test } from "node:test";
import type { OciUnpackError } from "../../src/base/errors.ts";
import { EventLog } from "../../src/operation/event-log.ts";
import { offerWorkers, takeOffered } from "../../src/worker/early-workers.ts";
import type { EngineReport } from "../../src/worker/messages.ts";
import { startWorker } from "../../src/worker/started-worker.ts";
import { Thread } from "../../src/worker/thread.ts";

const names = [
  "ahead-worker",
  "content-worker",
  "apply-worker",
  "tree-worker",
  "decompress-worker",
  "digest-worker",
  "archive-worker",
] as const;
for (const name of names) {
  test(`a job that the ${name} does not know is an error, and the thread goes on`, async () => {
    await using thread = new Thread(name);
    for (const type of ["fly", "constructor"]) {
      await assert.rejects(thread.do({ type }), (error: OciUnpackError) => {
        assert.equal(error.code, "INTERNAL");
        assert.match(error.message, new RegExp(`^the thread oci-\\w+ knows no job "${type}"$`));
        return true;
      });
    }
    assert.ok(thread.isAlive);
  });
}

test("a thread that was started early is taken once, by whoever wants one of its name and size", async () => {
  const worker = startWorker("digest-worker", 64 * 2 ** 20);
  await worker.loaded;
  offerWorkers([worker]);
  assert.equal(takeOffered("digest-worker", undefined), undefined);
  assert.equal(takeOffered("tree-worker", 64 * 2 ** 20), undefined);
  await using thread = new Thread("digest-worker", 64 * 2 ** 20);
  assert.equal(takeOffered("digest-worker", 64 * 2 ** 20), undefined);
  await assert.rejects(thread.do({ type: "fly" }), { code: "INTERNAL" });
  await thread[Symbol.asyncDispose]();
  assert.equal(worker.isAlive(), false);
});

test("a thread that was started early and has ended since is taken by nobody", async () => {
  const worker = startWorker("digest-worker");
  await worker.loaded;
  await worker.worker.terminate();
  offerWorkers([worker]);
  await using thread = new Thread("digest-worker");
  await assert.rejects(thread.do({ type: "fly" }), /knows no job "fly"/);
});

test("a report that nobody knows ends what is under way with an error", () => {
  const events = new EventLog({});
  events.report({ type: "sings" } as unknown as EngineReport);
  assert.ok(events.signal.aborted);
  assert.equal(events.signal.reason.code, "INTERNAL");
  assert.equal(events.signal.reason.message, 'cannot go on: a working thread tells of "sings", which nobody knows');
});

test("reports for whoever runs the threads end nothing", () => {
  const events = new EventLog({});
  events.report({ type: "space" });
  events.report({ type: "ready" });
  assert.equal(events.signal.aborted, false);
});
