import assert from "node:assert/strict";
import { test } from "node:test";
import { OciUnpackError } from "../../src/base/errors.ts";

test("an error repeats of what others chose a beginning", () => {
  const long = "x".repeat(10_000_000);
  const { message, hint, stack } = new OciUnpackError("NOT_FOUND", `cannot find "${long}"`, { hint: `not "${long}"` });
  for (const text of [message, hint, stack]) assert.ok(text !== undefined && text.length < 20_000);
  assert.match(message, /^cannot find "x+…$/);
});
