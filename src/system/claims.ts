import { randomBytes } from "node:crypto";
import type { EventEmitter } from "node:events";
import { type FileHandle, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { isErrno } from "../base/system-error.ts";
import type { LockKind } from "../linux/lock.ts";

/**
 * Locks for systems where Node has none: files that say who holds a lock.
 *
 *     DIRECTORY/.locks/NAME,KIND,PID,RANDOM,HOST
 *
 * Whoever wants a lock first makes its claim and then looks at the others: of two that exclude each other at least one
 * sees the other, and takes its own back. A claim of a process that is no more counts for nothing. If its number was
 * given to another process meanwhile, the lock stays until somebody removes the file: there is no safe way to tell.
 */
const claimDirectory = ".locks";

/** As `TryLock` says. */
export async function tryToClaim(path: string, file: FileHandle, kind: LockKind): Promise<boolean> {
  const directory = join(dirname(path), claimDirectory);
  const own = [basename(path), kind, process.pid, randomBytes(6).toString("hex"), hostname()].join(",");
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, own), "", { flag: "wx", mode: 0o600 });
  const release = () => rm(join(directory, own), { force: true });
  try {
    if (await isExcluded(directory, own)) {
      await release();
      return false;
    }
  } catch (error) {
    await release();
    throw error;
  }
  // A FileHandle is an EventEmitter, which its types for Node 20 do not say.
  const opened = file as FileHandle & Pick<EventEmitter, "once">;
  opened.once("close", () => release().catch(() => {})); // what stays is a claim of this process, which ends
  return true;
}

async function isExcluded(directory: string, own: string): Promise<boolean> {
  const [name, kind] = own.split(",");
  for (const other of await readdir(directory)) {
    const [otherName, otherKind, pid, , host] = other.split(",");
    if (other === own || otherName !== name || (kind === "shared" && otherKind === "shared")) continue;
    if (host !== hostname() || isAlive(Number(pid))) return true;
    await rm(join(directory, other), { force: true });
  }
  return false;
}

/** The signal 0 is none: it asks whether there is such a process. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isErrno(error, "ESRCH");
  }
}
