import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { FileSystemTool } from "../../src/export/file-system-tool.ts";
import { runTool } from "../../src/export/run-tool.ts";

const shell: FileSystemTool = {
  ...{ command: "sh", package: "dash", version: { argument: "-c", output: "stdout" }, args: () => [], env: () => ({}) },
};
const data = new Uint8Array(512).fill(1);
const end = new Uint8Array(1024);

/** Runs a program, and writes to it piece by piece, the last ones some time after it has ended. */
async function fed(script: string, ...pieces: readonly Uint8Array[]): Promise<void> {
  const run = { args: ["-c", script], env: {}, directory: tmpdir(), searchPath: undefined };
  await runTool(shell, { ...run, signal: new AbortController().signal }, async (write, signal) => {
    for (const piece of pieces) {
      await write(piece);
      await setTimeout(300);
      signal.throwIfAborted();
    }
  });
}

test("a program may end well at the first zeros of an archive's end, before all of them are written", async () => {
  await fed("head -c 1024 >/dev/null", data, end.subarray(512), end.subarray(512));
  await fed("head -c 512 >/dev/null", data, end);
});

test("a program that ends well before the archive's data have come has failed", async () => {
  await assert.rejects(fed("head -c 512 >/dev/null", data, data, end), {
    code: "TOOL_FAILED",
    message: "cannot make the file system: sh: it ended before it had read everything",
  });
});

test("a program that fails is asked why, and nothing more is written to it", async () => {
  await assert.rejects(fed("head -c 512 >/dev/null; echo no more >&2; exit 3", data, data, end), {
    code: "TOOL_FAILED",
    message: "cannot make the file system: sh: no more",
  });
});
