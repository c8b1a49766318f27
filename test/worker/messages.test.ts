import assert from "node:assert/strict";
import { test } from "node:test";
import { type ErrorDetails, OciUnpackError } from "../../src/base/errors.ts";
import { packError, unpackError } from "../../src/worker/messages.ts";

/** An error after its way between two threads. */
function received(error: unknown): OciUnpackError {
  return unpackError(structuredClone(packError(error)));
}

test("an error is the same on the other side of a thread: its facts, and all that lay beneath", () => {
  const system = Object.assign(new Error("EIO: i/o error, read", { cause: new RangeError("too far") }), {
    code: "EIO",
  });
  const details: ErrorDetails = {
    layer: 2,
    path: "a/b",
    digest: "sha256:0",
    limit: "entries",
    allowed: 5,
    errno: "EIO",
  };
  const below = new OciUnpackError("FILE_SYSTEM", "cannot read", { details: { errno: "EIO" }, cause: system });
  const sent = new OciUnpackError("LIMIT_EXCEEDED", "cannot unpack", { hint: "stop", details, cause: below });

  const error = received(sent);
  assert.ok(error instanceof OciUnpackError);
  assert.deepEqual([error.code, error.message, error.hint], ["LIMIT_EXCEEDED", "cannot unpack", "stop"]);
  assert.deepEqual(error.details, details);
  const { cause } = error;
  assert.ok(cause instanceof OciUnpackError);
  assert.deepEqual([cause.code, cause.message, cause.details], ["FILE_SYSTEM", "cannot read", { errno: "EIO" }]);
  const last = cause.cause as Error & { code: string };
  assert.deepEqual([last.name, last.message, last.stack, last.code], ["Error", system.message, system.stack, "EIO"]);
  assert.deepEqual(String(last.cause), "RangeError: too far");
});

test("a defect is INTERNAL on the other side of a thread, and its cause says where it happened", () => {
  const defect = new TypeError("x is not a function");
  const error = received(defect);
  assert.deepEqual([error.code, error.message, error.details], ["INTERNAL", "x is not a function", {}]);
  assert.deepEqual([(error.cause as Error).name, (error.cause as Error).stack], ["TypeError", defect.stack]);
  assert.deepEqual([received("no error").message, received("no error").cause], ["no error", "no error"]);
});

test("causes that lead in a circle are told for a while", () => {
  const error = new Error("round");
  error.cause = error;
  let depth = 0;
  for (let cause: unknown = received(error); cause instanceof Error; cause = cause.cause) depth += 1;
  assert.ok(depth > 3 && depth < 20, String(depth));
});
