import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcessorUse } from "../../src/blob/processor-use.ts";

test("a process that uses most of the processors is told from one that does not, anew every ten milliseconds", () => {
  const clock = { processors: 4, time: 1000, usedTime: 50 };
  const use = new ProcessorUse({ processors: 4, now: () => clock.time, used: () => clock.usedTime });
  const after = (milliseconds: number, used: number) => {
    clock.time += milliseconds;
    clock.usedTime += used;
    return use.isHigh;
  };
  assert.equal(after(9, 36), false); // it is not known yet
  assert.equal(after(1, 4), true);
  assert.equal(after(9, 0), true);
  assert.equal(after(1, 0), false);
  assert.equal(after(100, 239), false);
  assert.equal(after(100, 240), true);
});
