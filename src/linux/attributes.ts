import type { ByteString } from "../tar/byte-string.ts";
import type { Timestamp } from "../tar/entry.ts";
import { CString, declare, type Result } from "./libc.ts";

/*
 * System calls that change owner, mode and times, each of an open file or of a name in a directory. A symlink at the
 * name is never followed: it is changed itself.
 */

const AT_SYMLINK_NOFOLLOW = 0x100;

const path = new CString();

const fchown = declare<[number, number, number]>("fchown", ["int", "uint32_t", "uint32_t"]);

export function changeOwner(descriptor: number, uid: number, gid: number): Result {
  return fchown(descriptor, uid, gid);
}

const fchownat = declare<[number, Uint8Array, number, number, number]>("fchownat", [
  "int",
  "const void*",
  "uint32_t",
  "uint32_t",
  "int",
]);

export function changeOwnerAt(directory: number, name: ByteString, uid: number, gid: number): Result {
  return fchownat(directory, path.of(name), uid, gid, AT_SYMLINK_NOFOLLOW);
}

const fchmod = declare<[number, number]>("fchmod", ["int", "uint32_t"]);

export function changeMode(descriptor: number, mode: number): Result {
  return fchmod(descriptor, mode);
}

const fchmodat = declare<[number, Uint8Array, number, number]>("fchmodat", ["int", "const void*", "uint32_t", "int"]);

/** Changes the mode of what is at a name. Symlinks have no mode: for them the result is `EOPNOTSUPP`. */
export function changeModeAt(directory: number, name: ByteString, mode: number): Result {
  return fchmodat(directory, path.of(name), mode, AT_SYMLINK_NOFOLLOW);
}

const futimens = declare<[number, Uint8Array]>("futimens", ["int", "const void*"]);

export function changeTimes(descriptor: number, atime: Timestamp, mtime: Timestamp): Result {
  return futimens(descriptor, timespecs(atime, mtime));
}

const utimensat = declare<[number, Uint8Array, Uint8Array, number]>("utimensat", [
  "int",
  "const void*",
  "const void*",
  "int",
]);

export function changeTimesAt(directory: number, name: ByteString, atime: Timestamp, mtime: Timestamp): Result {
  return utimensat(directory, path.of(name), timespecs(atime, mtime), AT_SYMLINK_NOFOLLOW);
}

// Two of struct timespec { s64 seconds; s64 nanoseconds; }: the time of access, then that of modification.
const timespecBytes = new Uint8Array(32);
const timespecWords = new BigInt64Array(timespecBytes.buffer);

function timespecs(atime: Timestamp, mtime: Timestamp): Uint8Array {
  timespecWords[0] = BigInt(atime.seconds);
  timespecWords[1] = BigInt(atime.nanoseconds);
  timespecWords[2] = BigInt(mtime.seconds);
  timespecWords[3] = BigInt(mtime.nanoseconds);
  return timespecBytes;
}
