import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { StreamOutput } from "../../src/output/new-file.ts";

const never = new AbortController().signal;

test("a stream that is closed while it is written to ends the writing", async () => {
  const stream = new Writable({
    write() {
      this.destroy(); // and the write that has begun is never answered
    },
  });
  await using output = new StreamOutput(stream, never);
  await assert.rejects(output.write(Uint8Array.of(1)), {
    code: "FILE_SYSTEM",
    message: "cannot write the output: the stream was closed before it had taken all",
  });
});

test("what a stream failed with is thrown, and does not end the process that listens to no error of it", async () => {
  const stream = new Writable({ write: (_chunk, _encoding, done) => done(new Error("no more room")) });
  await using output = new StreamOutput(stream, never);
  await assert.rejects(output.write(Uint8Array.of(1)), { message: "cannot write the output: no more room" });
  await output[Symbol.asyncDispose]();
  await setImmediate();
});

test("nobody listens any more to a stream that took all", async () => {
  const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
  const before = ["error", "close"].map((event) => stream.listenerCount(event));
  const output = new StreamOutput(stream, never);
  await output.write(Uint8Array.of(1));
  await output[Symbol.asyncDispose]();
  assert.deepEqual(
    ["error", "close"].map((event) => stream.listenerCount(event)),
    before,
  );
});
