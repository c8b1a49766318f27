import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { FileSystemTool } from "../../src/export/file-system-tool.ts";
import { requireWhole, runTool, versionOfTool } from "../../src/export/run-tool.ts";
import { eventually } from "../support/eventually.ts";
import { scratch } from "../support/scratch.ts";

const shell: FileSystemTool = {
  ...{
    command: "sh",
    package: "dash",
    version: { argument: "-c", output: "stdout" },
    inodes: () => 0,
    args: () => [],
    env: () => ({}),
  },
};
const data = new Uint8Array(512).fill(1);
const end = new Uint8Array(1024);

/** Runs a program, and writes to it piece by piece, the last ones when it has ended. */
async function fed(script: string, first: readonly Uint8Array[], last: readonly Uint8Array[]): Promise<void> {
  await using place = await scratch();
  const mark = join(place.directory, "pid");
  const run = { args: ["-c", `echo $$ > "$MARK"; ${script}`], directory: tmpdir(), searchPath: undefined };
  const signal = new AbortController().signal;
  await runTool(shell, { ...run, env: { MARK: mark }, signal }, async (write, stop) => {
    for (const piece of first) await write(piece);
    await eventually(
      async () => hasEnded(Number(await readFile(mark, "utf8").catch(() => ""))),
      () => "it never ended",
    );
    for (const piece of last) {
      stop.throwIfAborted();
      await write(piece);
    }
  });
}

/** Whether there was a process, and this one has taken notice of its end. */
function hasEnded(pid: number): boolean {
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

test("a program may end well at the first zeros of an archive's end, before all of them are written", async () => {
  await fed("head -c 1024 >/dev/null", [data, end.subarray(512)], [end.subarray(512)]);
  await fed("head -c 512 >/dev/null", [data], [end]);
});

test("a program that ends well before the archive's data have come has failed", async () => {
  await assert.rejects(fed("head -c 512 >/dev/null", [data], [data, end]), {
    code: "TOOL_FAILED",
    message: "cannot make the file system: sh: it ended before it had read everything",
  });
});

test("a program that fails is asked why, and nothing more is written to it", async () => {
  await assert.rejects(fed("head -c 512 >/dev/null; echo no more >&2; exit 3", [data], [data, end]), {
    code: "TOOL_FAILED",
    message: "cannot make the file system: sh: no more",
  });
});

test("a file system of which files are missing has failed, whatever the program said", async () => {
  await using place = await scratch();
  const path = join(place.directory, "image");
  await writeFile(path, new Uint8Array(4096));
  await requireWhole({ ...shell, inodes: () => 3 }, path, 3);
  await assert.rejects(requireWhole({ ...shell, inodes: (beginning) => beginning.getUint8(2047) }, path, 3), {
    code: "TOOL_FAILED",
    message: "cannot make the file system: sh made 0 of 3 files and directories",
    hint: /ulimit -u/,
  });
});

test("a program that may not be run is not taken for one that is not installed", async () => {
  await using place = await scratch();
  await writeFile(join(place.directory, "tool"), "", { mode: 0o644 });
  const tool = { ...shell, command: join(place.directory, "tool") };
  await assert.rejects(versionOfTool(tool, undefined), { code: "TOOL_FAILED", message: /^cannot run .*EACCES/ });
  await assert.rejects(versionOfTool({ ...tool, command: "no-such-tool" }, undefined), { code: "TOOL_MISSING" });
});

test("a program whose archive cannot be made is ended, and the reason told", { timeout: 60_000 }, async () => {
  const reason = new Error("a file is too large");
  const run = { args: ["-c", "cat >/dev/null"], env: {}, directory: tmpdir(), searchPath: undefined };
  const feeding = async (write: (bytes: Uint8Array) => Promise<void>) => {
    await write(data);
    throw reason;
  };
  await assert.rejects(runTool(shell, { ...run, signal: new AbortController().signal }, feeding), reason);
  const aborted = AbortSignal.abort(reason);
  await assert.rejects(runTool(shell, { ...run, signal: aborted }, feeding), reason);
});
