import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { scratch } from "../support/scratch.ts";

test("a process that may open few files unpacks as many directories as any", async () => {
  await using place = await scratch();
  const program = fileURLToPath(new URL("built-with-few-handles.js", import.meta.url));
  // Node itself holds about 25, and more while it loads modules. Its limit cannot be raised again: it is the hard one.
  const command = 'ulimit -n 64 && exec "$@"';
  const { stdout, stderr } = spawnSync("sh", ["-c", command, "sh", process.execPath, program, place.directory], {
    encoding: "utf8",
  });
  assert.equal(stdout, "400 files in 200 directories\n", stderr);
});
