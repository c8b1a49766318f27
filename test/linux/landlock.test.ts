import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import type { ConfinementResult } from "../../src/linux/landlock.ts";
import { ownUmask } from "../../src/linux/thread.ts";
import { skipWithoutLandlock } from "../support/sandbox.ts";
import { scratch } from "../support/scratch.ts";
import { skipWithout } from "../support/tools.ts";

const skip = skipWithoutLandlock();

interface Outcome {
  readonly umaskIsOwn: boolean;
  readonly confinement: ConfinementResult;
  readonly outcomes: Readonly<Record<string, string>>;
}

/** Lets a confined thread try what it can, beside a directory that it has no business in. */
async function attemptedBy(place: "one directory" | "no directory", work: (outcome: Outcome, at: Places) => unknown) {
  await using temporary = await scratch();
  const at = { outside: join(temporary.directory, "outside"), inside: join(temporary.directory, "inside") };
  for (const path of Object.values(at)) mkdirSync(path);
  writeFileSync(join(at.outside, "file"), "content");
  // One that needs nothing else to be read: else that would be what stops it.
  if (skipWithout("busybox") === false) copyFileSync("/bin/busybox", join(at.inside, "program"));
  await stat("/"); // libuv's pool must run before a thread confines itself.
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const worker = new Worker(new URL("confined-thread.js", import.meta.url), {
    workerData: { outside: at.outside, writable: place === "one directory" ? at.inside : undefined, port },
  });
  try {
    const [outcome] = (await once(worker, "message")) as [Outcome];
    await work(outcome, at);
  } finally {
    await worker.terminate();
    server.close();
  }
}

interface Places {
  readonly outside: string;
  readonly inside: string;
}

test(
  "a confined thread reaches its own directory and nothing else, and runs nothing",
  {
    skip: skip || skipWithout("busybox"),
  },
  () =>
    attemptedBy("one directory", ({ confinement, outcomes }, { outside }) => {
      assert.ok("abi" in confinement && confinement.abi >= 1, JSON.stringify(confinement));
      assert.deepEqual(outcomes, {
        "read a file outside": "EACCES",
        "list a directory outside": "EACCES",
        "write a file outside": "EACCES",
        "empty a file outside": confinement.abi >= 3 ? "EACCES" : "done",
        "remove a file outside": "EACCES",
        "make a directory outside": "EACCES",
        "make a symlink outside": "EACCES",
        "run a program": "EACCES",
        "run a program inside": "EACCES",
        "link a file from outside": "EXDEV",
        "write a file through a symlink that leads out": "EACCES",
        "write a file inside": "done",
        "move a file out": "EACCES",
        "make and remove a directory inside": "done",
        "link a file between directories inside": confinement.abi >= 2 ? "done" : "EXDEV",
        "open a connection": confinement.abi >= 4 ? "EACCES" : "done",
      });
      assert.deepEqual(readdirSync(outside), ["file"]);
      assert.equal(readFileSync(join(outside, "file"), "utf8"), "content");
    }),
);

test("a thread confined to nothing opens nothing", { skip }, () =>
  attemptedBy("no directory", ({ confinement, outcomes }) => {
    assert.ok("abi" in confinement);
    const { "open a connection": _, "empty a file outside": __, ...rest } = outcomes;
    assert.deepEqual([...new Set(Object.values(rest))], ["EACCES"]);
  }),
);

test("a thread's confinement and umask are not its host's", { skip }, () =>
  attemptedBy("one directory", async ({ umaskIsOwn }, { outside, inside }) => {
    await mkdir(join(outside, "by-host"));
    await writeFile(join(outside, "by-host/file"), "x", { mode: 0o666 });
    assert.equal(await readFile(join(outside, "file"), "utf8"), "content");
    const mode = (path: string) => statSync(path).mode & 0o777;
    assert.equal(mode(join(outside, "by-host/file")), 0o666 & ~process.umask());
    if (umaskIsOwn) assert.equal(mode(join(inside, "inside")), 0o666);
  }),
);

test("the main thread's umask is never touched", () => {
  const before = process.umask();
  assert.equal(ownUmask(), false);
  assert.equal(process.umask(), before);
});
