import assert from "node:assert/strict";
import { test } from "node:test";
import type { OciUnpackError } from "../../src/base/errors.ts";
import { EventLog } from "../../src/operation/event-log.ts";
import type { EngineReport } from "../../src/worker/messages.ts";
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
