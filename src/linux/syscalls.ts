import { constants } from "node:fs";
import { closing, opening } from "../base/open-descriptors.ts";
import { type ByteString, byteString, byteStringOf } from "../tar/byte-string.ts";
import { errnos, SystemError } from "./errno.ts";
import { CString, calls, declare, declareOnce, type Result } from "./libc.ts";
import { statOf } from "./stat.ts";

/*
 * System calls that make, find and remove names. Every name is relative to an open directory, so that nobody can
 * redirect it. Only `openDirectoryPath` takes a path.
 */

/** A flag of open(2): the descriptor is not inherited by other programs. Node has no constant for it. */
export const O_CLOEXEC = 0o2000000;

/** A flag of open(2): the file is found, but not opened for reading or writing. Node has no constant for it. */
export const O_PATH = 0o10000000;

/** Opens a directory and nothing else, never through a symlink at its end. */
const directoryFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | O_CLOEXEC;

const RESOLVE_NO_XDEV = 0x01;
const RESOLVE_NO_SYMLINKS = 0x04;
const RESOLVE_BENEATH = 0x08;
const AT_REMOVEDIR = 0x200;

/** How often openat2 is tried again after EAGAIN: something was renamed on the machine at the same time. */
const attempts = 128;

const path = new CString();
const secondPath = new CString();

const openat = opening(
  declare<[number, Uint8Array, number, number]>("openat", ["int", "const void*", "int", "uint32_t"]),
);

/** Opens what is at a name in a directory. A symlink is followed unless `flags` has O_NOFOLLOW. */
export function openAt(directory: number, name: ByteString, flags: number, mode = 0): Result {
  return openat(directory, path.of(name), flags | O_CLOEXEC, mode);
}

/**
 * Opens a file or a directory for reading, without changing its time of access if this user may do that. A symlink is
 * not followed.
 */
export function openUntouchedAt(directory: number, name: ByteString, flags: number): Result {
  const wanted = constants.O_RDONLY | constants.O_NOFOLLOW | flags;
  const handle = openAt(directory, name, wanted | constants.O_NOATIME);
  return handle === -errnos.EPERM ? openAt(directory, name, wanted) : handle;
}

/** Opens the directory at a name in a directory. A symlink is not followed. */
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

/** struct open_how { u64 flags; u64 mode; u64 resolve; }. RESOLVE_NO_SYMLINKS includes magic links (openat2(2)). */
function howToOpen(flags: number): Uint8Array {
  const resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH;
  return new Uint8Array(new BigUint64Array([BigInt(flags), 0n, BigInt(resolve)]).buffer);
}

const howToRead = howToOpen(directoryFlags);
const howToFind = howToOpen(directoryFlags | O_PATH);

/**
 * Opens the directory at a relative path of one or more names. Fails if there is a symlink or a mount point on the
 * path, or if it leads out of `directory`.
 *
 * Without openat2 (Linux before 5.6, or a seccomp filter forbids it) the names are opened one after the other. Then a
 * mount of the same file system goes unnoticed.
 */
export function openDirectoryBeneath(directory: number, relativePath: ByteString): Result {
  return openBeneath(directory, relativePath, howToRead);
}

/**
 * Finds the directory at a relative path, as `openDirectoryBeneath` does, without opening it for reading. The
 * descriptor can be used to make and look up names in it, but not to list or change the directory itself.
 *
 * It is faster: when a directory is opened for reading, Landlock checks every directory above it.
 */
export function findDirectoryBeneath(directory: number, relativePath: ByteString): Result {
  return openBeneath(directory, relativePath, howToFind);
}

/** Whether openat2 can be called. It is called with a size that it refuses, to see how it fails. */
export function hasOpenat2(): boolean {
  return !isMissing(openat2(calls.openat2, -1, path.of("." as ByteString), howToFind, 0));
}

/**
 * Whether the result means that openat2 is missing. A seccomp filter answers EPERM, the kernel never does for a
 * directory.
 */
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
 * Opens the directory at an absolute path that the caller of the library named. Symlinks on the way are followed, but
 * not one at the end: the directory was made there before, so a symlink has replaced it.
 */
export function openDirectoryPath(absolutePath: string): number {
  const result = openat(-1, path.of(byteStringOf(absolutePath)), directoryFlags, 0);
  if (result >= 0) return result;
  throw new SystemError(`open the directory "${absolutePath}"`, `openat("${absolutePath}", O_DIRECTORY)`, -result);
}

const close = closing(declareOnce<[number]>("close", ["int"]));

/** Closes a descriptor. Linux closes it even when it returns an error. */
export function closeDescriptor(descriptor: number): void {
  close(descriptor);
}

const dup3 = declare<[number, number, number]>("dup3", ["int", "int", "int"]);

/** Makes `descriptor` a duplicate of `other`, and closes `other`. */
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

/** Makes a fifo or a device. `mode` has the type, too. A major may be up to 4095 and a minor up to 2²⁰ - 1. */
export function makeNodeAt(directory: number, name: ByteString, mode: number, major: number, minor: number): Result {
  const device = (minor & 0xff) + major * 0x100 + (minor >>> 8) * 0x100000;
  return mknodat(directory, path.of(name), mode, device);
}

type TwoNames = [number, Uint8Array, number, Uint8Array];

const linkat = declare<[...TwoNames, number]>("linkat", ["int", "const void*", "int", "const void*", "int"]);

/** Makes a hard link. A symlink is not followed: it gets a further name itself. */
export function makeLinkAt(from: number, fromName: ByteString, to: number, toName: ByteString): Result {
  return linkat(from, path.of(fromName), to, secondPath.of(toName), 0);
}

/** The same where the further name is as the first one, but for its directory. */
export function linkSameNameAt(from: number, to: number, name: ByteString): Result {
  const both = path.of(name);
  return linkat(from, both, to, both, 0);
}

const renameat = declare<TwoNames>("renameat", ["int", "const void*", "int", "const void*"]);

export function renameAt(from: number, fromName: ByteString, to: number, toName: ByteString): Result {
  return renameat(from, path.of(fromName), to, secondPath.of(toName));
}

const renameat2 = declare<[number, ...TwoNames, number]>(
  "syscall",
  ["long", "int", "const void*", "int", "const void*", "uint32_t"],
  "long",
);

const RENAME_EXCHANGE = 2;

/** Exchanges what is at two names, at once: at no moment is there nothing at either of them. */
export function exchangeAt(directory: number, name: ByteString, other: number, otherName: ByteString): Result {
  return renameat2(calls.renameat2, directory, path.of(name), other, secondPath.of(otherName), RENAME_EXCHANGE);
}

const unlinkat = declare<[number, Uint8Array, number]>("unlinkat", ["int", "const void*", "int"]);

/** Removes a name. It must not be a directory's. */
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

/** The target of a symlink, or a negated errno: `EINVAL` if it is no symlink. */
export function readSymlinkAt(directory: number, name: ByteString): ByteString | Result {
  const length = readlinkat(directory, path.of(name), target, target.length);
  return length < 0 ? length : byteString(target, 0, length);
}
