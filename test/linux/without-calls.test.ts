import assert from "node:assert/strict";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import type { SandboxStatus } from "../../src/base/events.ts";
import { errnos } from "../../src/linux/errno.ts";
import { setXattr } from "../../src/linux/xattrs.ts";
import { byteStringOf } from "../../src/tar/byte-string.ts";
import { scratch } from "../support/scratch.ts";

for (const [errno, where] of Object.entries({ ENOSYS: "the kernel is too old", EPERM: "a filter forbids it" })) {
  test(`without openat2, because ${where}, directories are opened through no symlink, mount or \`..\``, async () => {
    await using place = await scratch();
    mkdirSync(join(place.directory, "a/b"), { recursive: true });
    symlinkSync("a", join(place.directory, "s"));
    symlinkSync("b", join(place.directory, "a/t"));
    const opened = async (path: string, directory = place.directory) => {
      const told = await toldWithout("openat2", errnos[errno as "ENOSYS" | "EPERM"], directory, path);
      assert.deepEqual(told.status, { state: "off", withoutOpenat2: true });
      return told.opened;
    };
    assert.equal(await opened("a/b"), 0);
    assert.equal(await opened("s/b"), -errnos.ENOTDIR);
    assert.equal(await opened("a/t"), -errnos.ENOTDIR);
    assert.equal(await opened("a/../.."), -errnos.EXDEV);
    assert.equal(await opened("proc/self", "/"), -errnos.EXDEV);
  });

  test(`without listxattrat, because ${where}, extended attributes are listed by a path`, async () => {
    await using place = await scratch();
    const file = openSync(join(place.directory, "f"), "w");
    assert.equal(setXattr(file, byteStringOf("user.a"), Uint8Array.of(1)), 0);
    closeSync(file);
    const list = async (path: string) => {
      const told = await toldWithout("listxattrat", errnos[errno as "ENOSYS" | "EPERM"], place.directory, path);
      return told.listed;
    };
    assert.deepEqual(await list("f"), ["user.a"]);
    assert.equal(await list("nothing"), -errnos.ENOENT);
  });
}

/** What a thread tells for which that system call ends with that error. */
interface Told {
  readonly opened: number;
  readonly listed: readonly string[] | number;
  readonly status: SandboxStatus;
}

async function toldWithout(call: string, errno: number, directory: string, path: string): Promise<Told> {
  const thread = new Worker(new URL("thread-without-call.js", import.meta.url), {
    workerData: { directory, path, call, errno },
  });
  const [told] = (await once(thread, "message")) as [Told];
  await thread.terminate();
  return told;
}
