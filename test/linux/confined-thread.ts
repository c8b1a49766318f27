import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { confine } from "../../src/linux/landlock.ts";
import { closeDescriptor, openDirectoryPath } from "../../src/linux/syscalls.ts";
import { ownUmask } from "../../src/linux/thread.ts";

/*
 * A thread that confines itself and then tries what it should not be able to do. Everything is synchronous: Landlock
 * holds for this thread and not for libuv's pool.
 */

const { writable, outside } = workerData as { writable: string | undefined; outside: string };

const umaskIsOwn = ownUmask();
const directory = writable === undefined ? undefined : openDirectoryPath(writable);
const confinement = confine(directory === undefined ? {} : { writableBeneath: directory });
if (directory !== undefined) closeDescriptor(directory);

const attempts: Record<string, () => unknown> = {
  "read a file outside": () => fs.readFileSync(join(outside, "file")),
  "list a directory outside": () => fs.readdirSync(outside),
  "write a file outside": () => fs.writeFileSync(join(outside, "new"), ""),
  "empty a file outside": () => fs.truncateSync(join(outside, "file")),
  "remove a file outside": () => fs.unlinkSync(join(outside, "file")),
  "make a directory outside": () => fs.mkdirSync(join(outside, "directory")),
  "make a symlink outside": () => fs.symlinkSync("/", join(outside, "symlink")),
  "run a program": () => execFileSync("/bin/true"),
};
if (writable !== undefined) {
  Object.assign(attempts, {
    "link a file from outside": () => fs.linkSync(join(outside, "file"), join(writable, "linked")),
    "run a program inside": () => execFileSync(join(writable, "program"), ["true"]),
    "write a file through a symlink that leads out": () => {
      fs.symlinkSync(outside, join(writable, "way-out"));
      fs.writeFileSync(join(writable, "way-out/new"), "");
    },
    "write a file inside": () => fs.writeFileSync(join(writable, "inside"), "", { mode: 0o666 }),
    "move a file out": () => fs.renameSync(join(writable, "inside"), join(outside, "moved")),
    "make and remove a directory inside": () => {
      fs.mkdirSync(join(writable, "made"));
      fs.rmdirSync(join(writable, "made"));
    },
    "link a file between directories inside": () => {
      fs.mkdirSync(join(writable, "d"));
      fs.linkSync(join(writable, "inside"), join(writable, "d/linked"));
    },
  });
}

const outcomes: Record<string, string> = {};
for (const [attempt, work] of Object.entries(attempts)) {
  try {
    work();
    outcomes[attempt] = "done";
  } catch (error) {
    outcomes[attempt] = (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

const socket = connect({ host: "127.0.0.1", port: workerData.port });
socket.once("connect", () => report("done"));
socket.once("error", (error: NodeJS.ErrnoException) => report(error.code ?? "error"));

function report(connecting: string): void {
  socket.destroy();
  outcomes["open a connection"] = connecting;
  parentPort?.postMessage({ umaskIsOwn, confinement, outcomes });
}
