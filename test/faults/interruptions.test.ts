import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, constants, existsSync, openSync, readFileSync, readSync } from "node:fs";
import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { withEndlessWaits } from "../support/endless-waits.ts";
import { image, stored } from "../support/image.ts";
import { commandEntry, ociUnpack } from "../support/oci-unpack.ts";
import { startRegistry } from "../support/registry-double.ts";
import { hangAfter } from "../support/registry-reply.ts";
import { file, tar } from "../support/tar-builder.ts";
import { half } from "../support/thorough.ts";
import { sample, topLayerOf } from "./fault.ts";
import { outputs } from "./outputs.ts";
import { type Stage, setStage } from "./stage.ts";
import { withUsualOptions } from "./usual.ts";

const statuses = { SIGINT: 130, SIGTERM: 143 } as const;
const said = "interrupted: nothing was left behind\n";

/** What reads an image and writes no file of its own. */
const looks: Readonly<Record<string, (image: string) => readonly string[]>> = {
  ls: (image) => ["ls", "-R", image],
  cat: (image) => ["cat", image, "large"],
  "tar on standard output": (image) => ["--output", "tar", "-o", "-", image],
};

for (const [number, signal] of (["SIGINT", "SIGTERM"] as const).entries()) {
  describe(`${signal} in the middle of a layer leaves nothing behind`, () => {
    for (const [name, { args, skip }] of half(Object.entries(outputs), number)) {
      test(`of ${name}`, { skip }, async () => {
        await using stage = await setStage();
        await interrupted(stage, signal, (image) => args(image, join(stage.place, "target")));
      });
    }

    for (const [name, args] of half(Object.entries(looks), number)) {
      test(`of ${name}`, async () => {
        await using stage = await setStage();
        await interrupted(stage, signal, args);
      });
    }
  });
}

test("a reader who stopped reading is not waited for", { timeout: 120_000 }, async () => {
  await using stage = await setStage();
  await using registry = await startRegistry();
  const reference = stored(registry, "app", image([tar(file("more than a pipe holds", randomBytes(1_000_000)))]));
  const pipe = join(stage.directory, "pipe");
  execFileSync("mkfifo", [pipe]);
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(pipe, constants.O_WRONLY);
  const command = [...(await withEndlessWaits(stage.directory)), commandEntry];
  const args = [...command, ...withUsualOptions(["--output", "tar", "-o", "-", reference])];
  const child = spawn(process.execPath, args, { stdio: ["ignore", writer, "ignore"] });
  closeSync(writer);
  const ended = once(child, "exit");
  while (!canRead(reader)) await sleep(10);
  child.kill("SIGTERM");
  assert.deepEqual(await ended, [143, null]);
  closeSync(reader);
});

test("a program that makes a file system is ended with the command", async () => {
  await using stage = await setStage();
  const tools = join(stage.directory, "tools");
  const mark = join(stage.directory, "pid");
  await mkdir(tools);
  await writeFile(
    join(tools, "mkfs.erofs"),
    `#!/bin/sh\n[ "$1" = --version ] && exit\necho $$ > '${mark}.new'\nmv '${mark}.new' '${mark}'\nexec sleep infinity\n`,
  );
  await chmod(join(tools, "mkfs.erofs"), 0o755);
  await using registry = await startRegistry();
  const { status, stderr } = await ociUnpack(
    withUsualOptions(["--output", "erofs", "-o", join(stage.place, "target"), stored(registry, "app", sample)]),
    {
      env: { PATH: `${tools}:/usr/bin:/bin`, TMPDIR: stage.temporary },
      async started(child) {
        while (!existsSync(mark)) await sleep(10);
        child.kill("SIGTERM");
      },
    },
  );
  assert.deepEqual([status, stderr], [143, said]);
  // Ended it is at once, but there until whoever inherited it has taken notice. One that nobody ends is there for ever, and the test meets its deadline.
  while (isThere(Number(readFileSync(mark, "utf8")))) await sleep(10);
  assert.deepEqual([await readdir(stage.place), await readdir(stage.temporary)], [[], []]);
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Runs the command until the registry falls silent in the middle of a layer, and sends it a signal. */
async function interrupted(
  stage: Stage,
  signal: keyof typeof statuses,
  args: (image: string) => readonly string[],
): Promise<void> {
  await using registry = await startRegistry();
  const image = stored(registry, "app", sample);
  const isAsked = new Promise<void>((resolve) => {
    registry.always(new RegExp(topLayerOf(sample)), (reply, request) => {
      resolve();
      return hangAfter(50_000)(reply, request);
    });
  });
  const { status, stderr } = await ociUnpack(withUsualOptions(args(image)), {
    env: { TMPDIR: stage.temporary },
    async started(child) {
      await isAsked;
      child.kill(signal);
    },
  });
  assert.deepEqual([status, stderr], [statuses[signal], said]);
  assert.deepEqual([await readdir(stage.place), await readdir(stage.temporary)], [[], []]);
}

/** Takes a byte out of a pipe, if there is one. */
function canRead(pipe: number): boolean {
  try {
    return readSync(pipe, new Uint8Array(1)) > 0;
  } catch {
    return false;
  }
}
