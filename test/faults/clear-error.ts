import assert from "node:assert/strict";

/** Insists that what a command said is one error with the next step: no stack, no warning of Node's, nothing else. */
export function assertClearError(stderr: string): void {
  assert.match(stderr, /^error: (layer \d+: )?cannot [^\n]+[^.\n]\nhint: [^\n]+\n$/);
  assert.doesNotMatch(stderr, /cannot go on|defect of oci-unpack/, "nobody foresaw it");
}
