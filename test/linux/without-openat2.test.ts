import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import type { SandboxStatus } from "../../src/base/events.ts";
import { errnos } from "../../src/linux/errno.ts";
import { scratch } from "../support/scratch.ts";

for (const [errno, where] of Object.entries({ ENOSYS: "the kernel is too old", EPERM: "a filter forbids it" })) {
  test(`without openat2, because ${where}, directories are opened through no symlink, mount or \`..\``, async () => {
    await using place = await scratch();
    mkdirSync(join(place.directory, "a/b"), { recursive: true });
    symlinkSync("a", join(place.directory, "s"));
    symlinkSync("b", join(place.directory, "a/t"));
    const opened = (path: string, directory = place.directory) =>
      openedWithout(errnos[errno as "ENOSYS" | "EPERM"], directory, path);
    assert.equal(await opened("a/b"), 0);
    assert.equal(await opened("s/b"), -errnos.ENOTDIR);
    assert.equal(await opened("a/t"), -errnos.ENOTDIR);
    assert.equal(await opened("a/../.."), -errnos.EXDEV);
    assert.equal(await opened("proc/self", "/"), -errnos.EXDEV);
  });
}

/** What opening a path beneath a directory gives on a thread for which openat2 ends with that error. */
async function openedWithout(errno: number, directory: string, path: string): Promise<number> {
  const thread = new Worker(new URL("thread-without-openat2.js", import.meta.url), {
    workerData: { directory, path, errno },
  });
  const [{ opened, status }] = (await once(thread, "message")) as [{ opened: number; status: SandboxStatus }];
  await thread.terminate();
  assert.deepEqual(status, { state: "off", withoutOpenat2: true });
  return opened;
}
