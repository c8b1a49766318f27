import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Worker } from "node:worker_threads";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { unpack } from "../../src/index.ts";
import { output } from "../support/command.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { skipUnlessMounting } from "../support/tools.ts";
import { applied } from "./applied.ts";
import { threads } from "./threads.ts";

/** More than waits in rings, and more files than may be on their way. */
const archives = [
  tar(...Array.from({ length: 3000 }, (_, index) => file(`d${index % 9}/${index}`, "x".repeat((index * 7) % 4000)))),
  tar(file("large", Buffer.alloc(6_000_000, "abc"))),
];

/** The first two threads of a run are those that decompress and that make names. */
const usualThreads = 2;

let begun: { readonly worker: Worker; readonly ready: Promise<unknown> }[] = [];
const note = (worker: Worker) => void begun.push({ worker, ready: once(worker, "message") });

beforeEach(() => {
  begun = [];
  process.on("worker", note);
});

afterEach(() => {
  process.off("worker", note);
});

/** Ends one of the threads that make files. */
async function endMaker(): Promise<void> {
  while (begun.length <= usualThreads) await sleep(5); // Node tells of a thread a little later
  const maker = begun[usualThreads];
  await maker?.ready;
  await maker?.worker.terminate();
}

const moments = {
  "before it has made anything": endMaker,
  "while it makes files": async (staging: string) => {
    while ((await readdir(staging, { recursive: true })).length < 300) await sleep(5);
    await endMaker();
  },
} as const;

for (const [when, between] of Object.entries(moments)) {
  test(`a thread that makes files and dies ${when} ends the run, and all threads`, { timeout: 120_000 }, async () => {
    await using place = await scratch();
    const running = applied(place.directory, { archives, contentThreads: 2, between });
    await assert.rejects(running, (error) => {
      assert.ok(isOciUnpackError(error, "INTERNAL"), String(error));
      assert.match(error.message, /^cannot go on: a working thread ended with 1$/);
      return true;
    });
    assert.deepEqual(threads(), []);
  });
}

test("a disk that is full is told of by the same words, whoever makes the files", {
  skip: skipUnlessMounting(),
}, async () => {
  const outcomes: string[] = [];
  for (const contentThreads of [0, 2]) {
    await using place = await scratch();
    const disk = join(place.directory, "disk");
    await mkdir(disk);
    await output("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]);
    try {
      await assert.rejects(applied(disk, { archives: archives.slice(1), contentThreads }), (error) => {
        assert.ok(isOciUnpackError(error, "NO_SPACE"), String(error));
        outcomes.push(`${error.message} | ${error.hint} | ${JSON.stringify(error.details)}`);
        return true;
      });
      assert.deepEqual(threads(), []);
    } finally {
      await output("umount", [disk]);
    }
  }
  assert.equal(outcomes[1], outcomes[0]);
  assert.match(outcomes[0] ?? "", /large.*ENOSPC/);
});

test("of an image for which the disk is too small nothing is left, whoever makes the files", {
  skip: skipUnlessMounting(),
}, async () => {
  await using place = await scratch();
  const layout = join(place.directory, "layout");
  await mkdir(layout);
  await writeImageLayout(layout, [{ tag: "1", images: [image(archives)] }]);
  for (const count of [1, 4]) {
    const disk = join(place.directory, `${count}`);
    await mkdir(disk);
    await output("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", disk]);
    try {
      await assert.rejects(unpack(`oci:${layout}:1`, join(disk, "target"), { threads: count }), { code: "NO_SPACE" });
      assert.deepEqual(await readdir(disk), []);
      assert.ok(begun.length >= usualThreads + (count > 1 ? 2 : 0));
      assert.deepEqual(threads(), []);
    } finally {
      await output("umount", [disk]);
    }
    begun = [];
  }
});

test("a process that may open no more files makes all the same, with the handle that it keeps", async () => {
  await using place = await scratch();
  const program = fileURLToPath(new URL("../rootfs/made-without-handles.js", import.meta.url));
  const command = 'ulimit -n 64 && exec "$@"';
  const { stdout, stderr } = spawnSync("sh", ["-c", command, "sh", process.execPath, program, place.directory], {
    encoding: "utf8",
  });
  assert.equal(stdout, "60 files in 6 directories, 0 handles more than before\n", stderr);
});
