import { errnos, SystemError } from "./errno.ts";
import { declare } from "./libc.ts";

const flock = declare<[number, number]>("flock", ["int", "int"]);

const LOCK_NONBLOCKING = 4;
const kinds = { shared: 1, exclusive: 2 } as const;

/** A shared lock excludes exclusive ones, an exclusive lock excludes all others (flock(2)). */
export type LockKind = keyof typeof kinds;

/**
 * Takes an advisory lock of an open file, without waiting. Returns false if another lock excludes it.
 *
 * The lock belongs to the open file. It is released when the file is closed, however the process ends.
 */
export function tryLock(descriptor: number, kind: LockKind): boolean {
  const result = flock(descriptor, kinds[kind] | LOCK_NONBLOCKING);
  if (result >= 0) return true;
  if (result === -errnos.EWOULDBLOCK) return false;
  throw new SystemError("lock a file", `flock(${kind === "shared" ? "LOCK_SH" : "LOCK_EX"})`, -result);
}
