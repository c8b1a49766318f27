import { constants } from "node:fs";
import { type ByteString, byteString, byteStringOf } from "../tar/byte-string.ts";
import { CString } from "./c-string.ts";
import { calls } from "./call-numbers.ts";
import { errnos, SystemError } from "./errno.ts";
import { declare, declareOnce, type Result } from "./libc.ts";
import { closing, opening } from "./open-descriptors.ts";
import { statOf } from "./stat.ts";

/*
 * The system calls that make, find and take away names. Every name is relative to an open directory; none is a path
 * string that somebody else could redirect, except where `openDirectoryPath` says so.
 */

/** A flag of open(2) that Node has no constant for; the same on all machines. */
export const O_CLOEXEC = 0o2000000;

/** The same: a handle that only says where something is. */
export const O_PATH = 0o10000000;

/** Opens a directory and nothing else, never through a symlink at its end. */
const directoryFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | O_CLOEXEC;

const RESOLVE_NO_XDEV = 0x01;
const RESOLVE_NO_SYMLINKS = 0x04;
const RESOLVE_BENEATH = 0x08;
const AT_REMOVEDIR = 0x200;

/** How often an openat2 that lost a race with a rename somewhere on the machine is tried again. */
const attempts = 128;

const path = new CString();
const secondPath = new CString();

const openat = opening(
  declare<[number, Uint8Array, number, number]>("openat", ["int", "const void*", "int", "uint32_t"]),
);

/** Opens one name in a directory. Whether a symlink is followed is for `flags` to say. */
export function openAt(directory: number, name: ByteString, flags: number, mode = 0): Result {
  return openat(directory, path.of(name), flags | O_CLOEXEC, mode);
}

/** Opens a directory by one name, never through a symlink. */
export function openDirectoryAt(directory: number, name: ByteString): Result {
  return openat(directory, path.of(name), directoryFlags, 0);
}

const openat2 = opening(
  declare<[number, number, Uint8Array, Uint8Array, number]>(
    "syscall",
    ["long", "int", "const void*", "const void*", "long"],
    "long",
  ),
);

/** struct open_how { u64 flags; u64 mode; u64 resolve; }. Where no symlinks are followed, magic links are not either (openat2(2)). */
function howToOpen(flags: number): Uint8Array {
  const resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH;
  return new Uint8Array(new BigUint64Array([BigInt(flags), 0n, BigInt(resolve)]).buffer);
}

const howToRead = howToOpen(directoryFlags);
const howToFind = howToOpen(directoryFlags | O_PATH);

/**
 * Opens the directory at a relative path, which may have several components but no symlink, no mount point and no way
 * out of `directory`.
 *
 * Where openat2 is missing (Linux before 5.6) or a seccomp filter hides it, the path is walked one component at a time
 * to the same effect, except that a mount of the same file system is not noticed.
 */
export function openDirectoryBeneath(directory: number, relativePath: ByteString): Result {
  return openBeneath(directory, relativePath, howToRead);
}

/**
 * The same for a handle that names can be made and looked up at, and that is good for nothing else: its directory can
 * neither be read nor changed by it.
 *
 * Landlock examines every directory above one that is opened to be read, which takes as long as the path is deep, and
 * none for this.
 */
export function findDirectoryBeneath(directory: number, relativePath: ByteString): Result {
  return openBeneath(directory, relativePath, howToFind);
}

/** Whether the kernel has openat2, and no filter hides it: it is asked with a size that it refuses. */
export function hasOpenat2(): boolean {
  return !isMissing(openat2(calls.openat2, -1, path.of("." as ByteString), howToFind, 0));
}

/** A filter answers EPERM for a call that it does not know; the kernel itself has no reason to, for a directory. */
function isMissing(result: Result): boolean {
  return result === -errnos.ENOSYS || result === -errnos.EPERM;
}

function openBeneath(directory: number, relativePath: ByteString, how: Uint8Array): Result {
  for (let attempt = 1; ; attempt += 1) {
    const result = openat2(calls.openat2, directory, path.of(relativePath), how, how.length);
    if (result === -errnos.EAGAIN && attempt < attempts) continue;
    return isMissing(result) ? walkBeneath(directory, relativePath) : result;
  }
}

function walkBeneath(directory: number, relativePath: ByteString): Result {
  let current = directory;
  for (const name of relativePath.split("/") as ByteString[]) {
    const next = name === ".." ? -errnos.EXDEV : openDirectoryOnSameFileSystem(current, name);
    if (current !== directory) closeDescriptor(current);
    if (next < 0) return next;
    current = next;
  }
  return current;
}

function openDirectoryOnSameFileSystem(directory: number, name: ByteString): Result {
  const child = openDirectoryAt(directory, name);
  if (child < 0) return child;
  const [outside, inside] = [statOf(directory), statOf(child)];
  if (typeof outside !== "number" && typeof inside !== "number" && outside.fileSystem === inside.fileSystem)
    return child;
  closeDescriptor(child);
  return -errnos.EXDEV;
}

/**
 * Opens the directory at an absolute path, through whatever symlinks lead to it: the caller named it. What stands there
 * must be a directory, though: a symlink at the end is not what was made there, but somebody else's.
 */
export function openDirectoryPath(absolutePath: string): number {
  const result = openat(-1, path.of(byteStringOf(absolutePath)), directoryFlags, 0);
  if (result >= 0) return result;
  throw new SystemError(`open the directory "${absolutePath}"`, `openat("${absolutePath}", O_DIRECTORY)`, -result);
}

const close = closing(declareOnce<[number]>("close", ["int"]));

/** Closes a descriptor. What Linux answers changes nothing: it is closed. */
export function closeDescriptor(descriptor: number): void {
  close(descriptor);
}

const dup3 = declare<[number, number, number]>("dup3", ["int", "int", "int"]);

/** Makes `descriptor` stand for what `other` stands for, which is closed. */
export function replaceDescriptor(descriptor: number, other: number): void {
  dup3(other, descriptor, O_CLOEXEC);
  closeDescriptor(other);
}

const mkdirat = declare<[number, Uint8Array, number]>("mkdirat", ["int", "const void*", "uint32_t"]);

export function makeDirectoryAt(directory: number, name: ByteString, mode: number): Result {
  return mkdirat(directory, path.of(name), mode);
}

const symlinkat = declare<[Uint8Array, number, Uint8Array]>("symlinkat", ["const void*", "int", "const void*"]);

export function makeSymlinkAt(directory: number, name: ByteString, target: ByteString): Result {
  return symlinkat(secondPath.of(target), directory, path.of(name));
}

const mknodat = declare<[number, Uint8Array, number, number]>("mknodat", ["int", "const void*", "uint32_t", "long"]);

/** Makes a fifo or a device; `mode` holds the type as well. Majors up to 4095 and minors up to 2²⁰ - 1 have a number. */
export function makeNodeAt(directory: number, name: ByteString, mode: number, major: number, minor: number): Result {
  const device = (minor & 0xff) + major * 0x100 + (minor >>> 8) * 0x100000;
  return mknodat(directory, path.of(name), mode, device);
}

type TwoNames = [number, Uint8Array, number, Uint8Array];

const linkat = declare<[...TwoNames, number]>("linkat", ["int", "const void*", "int", "const void*", "int"]);

/** Gives a file a further name. A symlink is not followed: it is the file. */
export function makeLinkAt(from: number, fromName: ByteString, to: number, toName: ByteString): Result {
  return linkat(from, path.of(fromName), to, secondPath.of(toName), 0);
}

const renameat = declare<TwoNames>("renameat", ["int", "const void*", "int", "const void*"]);

export function renameAt(from: number, fromName: ByteString, to: number, toName: ByteString): Result {
  return renameat(from, path.of(fromName), to, secondPath.of(toName));
}

const unlinkat = declare<[number, Uint8Array, number]>("unlinkat", ["int", "const void*", "int"]);

/** Removes a name that is no directory's. */
export function unlinkAt(directory: number, name: ByteString): Result {
  return unlinkat(directory, path.of(name), 0);
}

/** Removes an empty directory. */
export function removeDirectoryAt(directory: number, name: ByteString): Result {
  return unlinkat(directory, path.of(name), AT_REMOVEDIR);
}

const readlinkat = declare<[number, Uint8Array, Uint8Array, number]>(
  "readlinkat",
  ["int", "const void*", "void*", "long"],
  "long",
);
const target = new Uint8Array(4096);

/** Where a symlink leads; a number, the negated errno, where there is none: `EINVAL` for any other file. */
export function readSymlinkAt(directory: number, name: ByteString): ByteString | Result {
  const length = readlinkat(directory, path.of(name), target, target.length);
  return length < 0 ? length : byteString(target, 0, length);
}
