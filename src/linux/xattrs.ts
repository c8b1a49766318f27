import { type ByteString, byteString } from "../tar/byte-string.ts";
import { errnos } from "./errno.ts";
import { CString, declare, type Result } from "./libc.ts";

/*
 * System calls for extended attributes of an open file, or of what is at a name in a directory.
 *
 * The latter are needed for symlinks, fifos and devices. They use a path below /proc/self/fd, because Linux has
 * setxattrat only from 6.13 on. Nobody can redirect the directory's descriptor, and the functions that begin with `l`
 * do not follow a symlink at the end.
 */

const path = new CString();
const key = new CString();

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

export function listXattrsAt(directory: number, name: ByteString): readonly ByteString[] | Result {
  return namesIn(readWhole((buffer, size) => llistxattr(pathOf(directory, name), buffer, size)));
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

// The most that Linux returns, for a value and for a list of names.
const buffer = new Uint8Array(64 * 1024);

function readWhole(reading: Reading): Uint8Array | Result {
  const length = reading(buffer, buffer.length);
  return length < 0 ? length : buffer.slice(0, length);
}

/** The names in a list as Linux returns it: one after the other, each ended by a NUL. */
function namesIn(list: Uint8Array | Result): readonly ByteString[] | Result {
  if (typeof list === "number") return list === -errnos.ENOTSUP ? [] : list;
  return byteString(list).split("\0").slice(0, -1) as ByteString[];
}
