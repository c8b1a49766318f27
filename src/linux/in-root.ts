import { constants, openSync } from "node:fs";
import type { ByteString } from "../tar/byte-string.ts";
import { CString } from "./c-string.ts";
import { calls } from "./call-numbers.ts";
import { errnos } from "./errno.ts";
import { declare, type Result } from "./libc.ts";
import { opening } from "./open-descriptors.ts";
import { O_CLOEXEC, O_PATH } from "./syscalls.ts";

const RESOLVE_NO_XDEV = 0x01;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_IN_ROOT = 0x10;

const openat2 = opening(
  declare<[number, number, Uint8Array, Uint8Array, number]>(
    "syscall",
    ["long", "int", "const void*", "const void*", "long"],
    "long",
  ),
);

// struct open_how { u64 flags; u64 mode; u64 resolve; }. Only found, not opened: a fifo in the place of a file would hold
// us, and a device may do anything.
const how = new BigUint64Array([
  BigInt(O_PATH | O_CLOEXEC),
  0n,
  BigInt(RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_IN_ROOT),
]);
const howBytes = new Uint8Array(how.buffer);
const path = new CString();

/**
 * Finds a file as a process would that has `directory` as its root: symlinks are followed, but never out of it. The
 * descriptor is good for looking at what it is, and for `openFound`.
 */
export function findInRoot(directory: number, pathInRoot: ByteString): Result {
  for (let attempt = 1; ; attempt += 1) {
    const result = openat2(calls.openat2, directory, path.of(pathInRoot), howBytes, howBytes.length);
    if (result !== -errnos.EAGAIN || attempt === 128) return result;
  }
}

/** Opens for reading what `findInRoot` found, wherever its name leads by now. */
export function openFound(descriptor: number): number {
  return openSync(`/proc/self/fd/${descriptor}`, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
}
