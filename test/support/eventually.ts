import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

/** Far more than anything takes that comes to be at all. */
const deadlineMilliseconds = 60_000;

/** Waits until something is so; `otherwise` says what is the matter if it never is. */
export async function eventually(isSo: () => boolean | Promise<boolean>, otherwise: () => string): Promise<void> {
  for (const end = performance.now() + deadlineMilliseconds; !(await isSo()); ) {
    if (performance.now() >= end) assert.fail(otherwise());
    await sleep(5);
  }
}
