import { spawn } from "node:child_process";
import { once } from "node:events";
import type { FileHandle } from "node:fs/promises";
import { platform } from "node:process";
import { OciUnpackError } from "../base/errors.ts";
import { cannotStart, isErrno } from "../base/system-error.ts";
import type { LockKind } from "../linux/lock.ts";
import { fromLinux, Lack } from "./lack.ts";

export type { LockKind } from "../linux/lock.ts";

/**
 * Takes an advisory lock of an open file, whose path is given too, without waiting. Resolves to false if another lock
 * excludes it. The lock is released when the file is closed, and ends with the process, however that ends.
 */
export type TryLock = (path: string, file: FileHandle, kind: LockKind) => Promise<boolean>;

/**
 * What locks files here. On Linux it is flock(2) in any case, so that all processes that share a store agree; elsewhere
 * a claim beside the file.
 */
export async function fileLocks(): Promise<TryLock> {
  if (platform !== "linux") return (await import("./claims.ts")).tryToClaim;
  const linux = await fromLinux(() => import("../linux/lock.ts"));
  return linux instanceof Lack ? lockByProgram : async (_, file, kind) => linux.tryLock(file.fd, kind);
}

/**
 * flock(2) by flock(1), which every Linux has: the lock belongs to the open file, which this process and the program
 * share.
 */
async function lockByProgram(_: string, file: FileHandle, kind: LockKind): Promise<boolean> {
  const args = ["-n", kind === "shared" ? "-s" : "-x", "3"];
  const program = spawn("flock", args, { stdio: ["ignore", "ignore", "ignore", file.fd] });
  const [status] = await once(program, "close").catch(cannotLock);
  if (status === 0 || status === 1) return status === 0;
  throw cannotLock(`flock ended with ${status}`);
}

function cannotLock(cause: unknown): never {
  const shortage = cannotStart(cause, "lock a file of the store");
  if (shortage !== undefined) throw shortage;
  const found = isErrno(cause, "ENOENT") ? "the program flock is missing, too" : String(cause);
  const { reason, remedy } = Lack.noKoffi;
  const message = `cannot lock a file of the store: ${reason}, and ${found}`;
  throw new OciUnpackError("UNSUPPORTED_SYSTEM", message, { hint: remedy, cause });
}
