import { constants, openSync } from "node:fs";
import { opening } from "../base/open-descriptors.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { errnos } from "./errno.ts";
import { CString, calls, declare, type Result } from "./libc.ts";
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

// struct open_how { u64 flags; u64 mode; u64 resolve; }. With O_PATH the file is found but not opened: opening a fifo
// would block, and opening a device could have any effect.
const how = new BigUint64Array([
  BigInt(O_PATH | O_CLOEXEC),
  0n,
  BigInt(RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_IN_ROOT),
]);
const howBytes = new Uint8Array(how.buffer);
const path = new CString();

/**
 * Finds a file as a process would whose root is `directory`: symlinks are followed, but never lead out of it. The
 * descriptor can be given to `statOf` and to `openFound` only.
 */
export function findInRoot(directory: number, pathInRoot: ByteString): Result {
  for (let attempt = 1; ; attempt += 1) {
    const result = openat2(calls.openat2, directory, path.of(pathInRoot), howBytes, howBytes.length);
    if (result !== -errnos.EAGAIN || attempt === 128) return result;
  }
}

/** Opens the file that `findInRoot` found for reading, even if its name leads to another file by now. */
export function openFound(descriptor: number): number {
  return openSync(`/proc/self/fd/${descriptor}`, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
}
