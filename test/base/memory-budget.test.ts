import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryBudget } from "../../src/base/memory-budget.ts";

test("what is remembered may fill the budget, and no more; the error names the limit", () => {
  const memory = new MemoryBudget({ memoryBytes: 100 });
  memory.spend(60, "files");
  memory.spend(40, "files");
  assert.throws(() => memory.spend(1, "directories"), {
    code: "LIMIT_EXCEEDED",
    message: /^cannot remember the image's directories: .*100 bytes/,
    hint: /memoryBytes, now 100/,
  });
});

test("what is forgotten makes room", () => {
  const memory = new MemoryBudget({ memoryBytes: 100 });
  memory.spend(100, "files");
  memory.release(50);
  memory.spend(50, "files");
  assert.throws(() => memory.spend(1, "files"), { code: "LIMIT_EXCEEDED" });
});
