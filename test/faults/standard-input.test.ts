import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { type FileHandle, open, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { commandEntry } from "../support/oci-unpack.ts";
import { sandboxEnvironment } from "../support/sandbox.ts";
import { skipWithout } from "../support/tools.ts";
import { type Fault, sample } from "./fault.ts";
import { places } from "./places.ts";
import { type Stage, setStage } from "./stage.ts";
import { withUsualOptions } from "./usual.ts";

const none: Fault = { title: "none", image: sample, code: "INTERNAL" };

describe("an archive on standard input", { skip: skipWithout("tar") }, () => {
  for (const [title, change] of [
    ["as it is", (archive: Buffer) => archive],
    ["compressed", (archive: Buffer) => gzipSync(archive)],
  ] as const) {
    test(`may come late and in pieces, ${title}`, async () => {
      await using stage = await setStage();
      const archive = change(await wholeArchive(stage));
      const { input, ended } = started(stage);
      for (const [from, to] of [
        [0, 1],
        [1, 1000],
        [1000, archive.length],
      ] as const) {
        await sleep(150); // whoever reads has nothing to read for a while
        input.write(archive.subarray(from, to));
      }
      input.end();
      assert.deepEqual(await ended(), [0, "", null]);
      assert.deepEqual(await readdir(join(stage.place, "target")), ["config.json", "rootfs"]);
    });
  }

  for (const bytes of [0, 5000]) {
    test(`that stops after ${bytes} bytes is waited for until a signal, which leaves nothing behind`, async () => {
      await using stage = await setStage();
      const archive = await wholeArchive(stage);
      const { child, input, ended } = started(stage);
      input.write(archive.subarray(0, bytes));
      while ((await readdir(stage.place)).length === 0) await sleep(10);
      child.kill("SIGTERM");
      assert.deepEqual(await ended(), [143, "interrupted: nothing was left behind\n", null]);
      assert.deepEqual([await readdir(stage.place), await readdir(stage.temporary)], [[], []]);
    });
  }
});

describe("an archive in a named pipe", { skip: skipWithout("tar") }, () => {
  test("may come late and in pieces", async () => {
    await using stage = await setStage();
    const archive = await wholeArchive(stage);
    const { pipe, ended } = piped(stage);
    await using writer: FileHandle = await open(pipe, "w"); // waits for whoever reads
    for (const part of [archive.subarray(0, 1000), archive.subarray(1000)]) {
      await sleep(150);
      await writer.writeFile(part);
    }
    await writer.close();
    assert.deepEqual(await ended(), [0, "", null]);
    assert.deepEqual(await readdir(join(stage.place, "target")), ["config.json", "rootfs"]);
  });

  for (const bytes of [undefined, 0, 5000]) {
    const title = bytes === undefined ? "into which nobody writes" : `whose writer stops after ${bytes} bytes`;
    test(`${title} is waited for until a signal, which leaves nothing behind`, { timeout: 60_000 }, async () => {
      await using stage = await setStage();
      const archive = await wholeArchive(stage);
      const { child, pipe, ended } = piped(stage);
      await using writer = bytes === undefined ? undefined : await open(pipe, "w");
      await writer?.writeFile(archive.subarray(0, bytes));
      while ((await readdir(stage.place)).length === 0) await sleep(10);
      if (bytes === undefined) await sleep(200); // so that it waits for a writer, which nothing shows
      child.kill("SIGTERM");
      assert.deepEqual(await ended(), [143, "interrupted: nothing was left behind\n", null]);
      assert.deepEqual([await readdir(stage.place), await readdir(stage.temporary)], [[], []]);
    });
  }
});

interface Started {
  readonly child: ChildProcess;
  readonly input: Writable;
  /** Its status, what it said, and the signal that it died of. */
  ended(): Promise<readonly unknown[]>;
}

function piped(stage: Stage): Started & { readonly pipe: string } {
  const pipe = join(stage.directory, "pipe");
  execFileSync("mkfifo", [pipe]);
  return { pipe, ...started(stage, pipe) };
}

function started(stage: Stage, archive = "-"): Started {
  const args = withUsualOptions([`docker-archive:${archive}`, join(stage.place, "target")]);
  const child = spawn(process.execPath, [commandEntry, ...args], {
    env: { PATH: process.env.PATH, HOME: stage.temporary, TMPDIR: stage.temporary, ...sandboxEnvironment },
  });
  let stderr = "";
  child.stderr.on("data", (text) => {
    stderr += text;
  });
  const closed = once(child, "close");
  return {
    child,
    input: child.stdin,
    async ended() {
      const [status, signal] = await closed;
      return [status, stderr, signal];
    },
  };
}

async function wholeArchive(stage: Stage): Promise<Buffer> {
  await using _placed = await (places["docker-archive:"] ?? assert.fail())(none, stage);
  return await readFile(join(stage.directory, "layout.tar"));
}
