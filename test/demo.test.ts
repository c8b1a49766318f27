import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { outcomeOf } from "./support/command.ts";

test("the demonstration unpacks its image, and shows what became of each layer", async () => {
  const demo = fileURLToPath(new URL("../demo/main.js", import.meta.url));
  const { status, stdout, stderr } = await outcomeOf(process.execPath, [demo]);
  assert.equal(status, 0, stderr);
  const [, rootfs = ""] = /into (\S+\/rootfs)$/m.exec(stderr) ?? [];
  try {
    assert.equal(await readFile(`${rootfs}/etc/motd`, "utf8"), "Welcome to the lighthouse.\n");
    assert.match(stdout, /-rwsr-xr-x .*lamp +layer 2/);
    assert.match(stdout, /motd +layer 4 +replaces layer 1's/);
    assert.match(stdout, /var\/cache\/charts\.tar +gone, hidden by a whiteout in layer 3/);
    assert.match(stdout, /var\/log\/boot\.log +gone, hidden by an opaque whiteout in layer 3/);
    assert.doesNotMatch(stdout, /STILL THERE/);
  } finally {
    await rm(dirname(dirname(rootfs)), { recursive: true, force: true });
  }
});
