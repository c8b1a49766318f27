import assert from "node:assert/strict";
import { syncBuiltinESMExports } from "node:module";
import { test } from "node:test";

test("where there is no Landlock, require is refused, and what goes on says that nothing is confined", async () => {
  Object.defineProperty(process, "platform", { value: "darwin" });
  syncBuiltinESMExports();
  const { confineFromFiles, defaultSandbox, loadThreadSystem } = await import("../../src/system/sandbox.ts");
  await loadThreadSystem();
  assert.equal(defaultSandbox, "prefer");
  assert.throws(() => confineFromFiles("require"), { code: "SANDBOX_UNAVAILABLE" });
  const reason = "nothing is confined without Landlock of Linux, and this is darwin";
  assert.deepEqual(confineFromFiles("prefer"), { state: "unavailable", reason });
  assert.deepEqual(confineFromFiles("off"), { state: "off" });
});
