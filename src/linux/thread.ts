import { Buffer } from "node:buffer";
import { isMainThread } from "node:worker_threads";
import { declareOnce } from "./libc.ts";

const unshare = declareOnce<[number]>("unshare", ["int"]);
const umask = declareOnce<[number]>("umask", ["uint32_t"]);
const geteuid = declareOnce<[]>("geteuid", []);
const prctl = declareOnce<[number, Uint8Array]>("prctl", ["int", "const void*"]);

const CLONE_FS = 0x200;
const PR_SET_NAME = 15;

/**
 * Gives the calling worker thread a umask of its own and sets it to 0, so that files get the modes they are made with.
 *
 * The umask of the process stays. Returns false on the main thread, and if a seccomp filter forbids it: then modes have
 * to be set explicitly.
 */
export function ownUmask(): boolean {
  if (isMainThread || unshare(CLONE_FS) < 0) return false;
  umask(0);
  return true;
}

/** The effective user of the calling thread. */
export function effectiveUser(): number {
  return geteuid();
}

/** Names the calling thread, in at most 15 bytes. `top -H`, `perf` and debuggers show the name. */
export function nameThread(name: string): void {
  prctl(PR_SET_NAME, Buffer.from(`${name}\0`));
}
