import assert from "node:assert/strict";
import { test } from "node:test";
import { rightsAsText } from "../../src/linux/thread.ts";

test("what this process may do to files is the same text each time", () => {
  assert.equal(rightsAsText(), rightsAsText());
  assert.match(rightsAsText(), /^Uid:.*\nGid:/);
});

test("without /proc nobody knows what this process may do, and the error says what to mount", () => {
  assert.throws(() => rightsAsText("/nonexistent"), {
    code: "FILE_SYSTEM",
    message: /^cannot find out for whom a tree is to be kept: ENOENT/,
    hint: /mount \/proc/,
  });
});
