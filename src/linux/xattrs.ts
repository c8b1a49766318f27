import { type ByteString, byteString } from "../tar/byte-string.ts";
import { errnos } from "./errno.ts";
import { CString, calls, declare, type Result } from "./libc.ts";

/*
 * System calls for extended attributes of an open file, or of what is at a name in a directory.
 *
 * The latter are needed for symlinks, fifos and devices. They use a path below /proc/self/fd, because Linux has
 * setxattrat only from 6.13 on. Nobody can redirect the directory's descriptor, and the functions that begin with `l`
 * do not follow a symlink at the end. Only listing, which is done for each file that is compared, uses the newer call
 * where it is there: without the path it takes a third of the time.
 */

const path = new CString();
const key = new CString();

// The most that Linux returns, for a value and for a list of names.
const buffer = new Uint8Array(64 * 1024);
// What is enough nearly always. Linux allocates as much as it is told that there is room for.
const smallBytes = 1024;
const none: readonly ByteString[] = [];

const fsetxattr = declare<[number, Uint8Array, Uint8Array, number, number]>("fsetxattr", [
  "int",
  "const void*",
  "const void*",
  "long",
  "int",
]);

export function setXattr(descriptor: number, name: ByteString, value: Uint8Array): Result {
  return fsetxattr(descriptor, key.of(name), value, value.length, 0);
}

const lsetxattr = declare<[Uint8Array, Uint8Array, Uint8Array, number, number]>("lsetxattr", [
  "const void*",
  "const void*",
  "const void*",
  "long",
  "int",
]);

export function setXattrAt(directory: number, name: ByteString, xattr: ByteString, value: Uint8Array): Result {
  return lsetxattr(pathOf(directory, name), key.of(xattr), value, value.length, 0);
}

const fremovexattr = declare<[number, Uint8Array]>("fremovexattr", ["int", "const void*"]);

export function removeXattr(descriptor: number, name: ByteString): Result {
  return fremovexattr(descriptor, key.of(name));
}

type Reading = (buffer: Uint8Array, size: number) => Result;

const flistxattr = declare<[number, Uint8Array, number]>("flistxattr", ["int", "void*", "long"], "long");

export function listXattrs(descriptor: number): readonly ByteString[] | Result {
  return namesIn(readWhole((buffer, size) => flistxattr(descriptor, buffer, size)));
}

const llistxattr = declare<[Uint8Array, Uint8Array, number]>("llistxattr", ["const void*", "void*", "long"], "long");

const listxattrat = declare<[number, number, Uint8Array, number, Uint8Array, number]>(
  "syscall",
  ["long", "int", "const void*", "uint32_t", "void*", "long"],
  "long",
);

const AT_SYMLINK_NOFOLLOW = 0x100;
const noDescriptor = -1;

/** Whether there is listxattrat. Older kernels answer ENOSYS, and filters of system calls ENOSYS or EPERM. */
const hasListxattrat = listAt(noDescriptor, path.of("." as ByteString), new Uint8Array(1), 1) === -errnos.EBADF;

export function listXattrsAt(directory: number, name: ByteString): readonly ByteString[] | Result {
  if (hasListxattrat) {
    // Nearly nothing has any: for that nothing is made.
    if (listAt(directory, path.of(name), buffer, smallBytes) === 0) return none;
    return namesIn(readWhole((buffer, size) => listAt(directory, path.of(name), buffer, size)));
  }
  return namesIn(readWhole((buffer, size) => llistxattr(pathOf(directory, name), buffer, size)));
}

function listAt(directory: number, name: Uint8Array, buffer: Uint8Array, size: number): Result {
  return listxattrat(calls.listxattrat, directory, name, AT_SYMLINK_NOFOLLOW, buffer, size);
}

const lgetxattr = declare<[Uint8Array, Uint8Array, Uint8Array, number]>(
  "lgetxattr",
  ["const void*", "const void*", "void*", "long"],
  "long",
);

export function readXattrAt(directory: number, name: ByteString, xattr: ByteString): Uint8Array | Result {
  return readWhole((buffer, size) => lgetxattr(pathOf(directory, name), key.of(xattr), buffer, size));
}

function pathOf(directory: number, name: ByteString): Uint8Array {
  return path.of(`/proc/self/fd/${directory}/${name}` as ByteString);
}

function readWhole(reading: Reading): Uint8Array | Result {
  let length = reading(buffer, smallBytes);
  if (length === -errnos.ERANGE) length = reading(buffer, buffer.length);
  return length < 0 ? length : buffer.slice(0, length);
}

/** The names in a list as Linux returns it: one after the other, each ended by a NUL. */
function namesIn(list: Uint8Array | Result): readonly ByteString[] | Result {
  if (typeof list === "number") return list === -errnos.ENOTSUP ? none : list;
  if (list.length === 0) return none;
  return byteString(list).split("\0").slice(0, -1) as ByteString[];
}
