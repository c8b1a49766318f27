import { declare, type Result } from "./libc.ts";

/** The bytes of open files. A call may write or read fewer than it was asked to, as in C. */

const write = declare<[number, Uint8Array, number]>("write", ["int", "const void*", "long"], "long");

export function writeSome(descriptor: number, bytes: Uint8Array): Result {
  return write(descriptor, bytes, bytes.length);
}

const pwrite = declare<[number, Uint8Array, number, number]>("pwrite", ["int", "const void*", "long", "long"], "long");

export function writeSomeAt(descriptor: number, bytes: Uint8Array, offset: number): Result {
  return pwrite(descriptor, bytes, bytes.length, offset);
}

const read = declare<[number, Uint8Array, number]>("read", ["int", "void*", "long"], "long");

/** Gives the number of bytes read, 0 at the end. */
export function readSome(descriptor: number, bytes: Uint8Array): Result {
  return read(descriptor, bytes, bytes.length);
}

const ftruncate = declare<[number, number]>("ftruncate", ["int", "long"]);

/** Sets the size; what lies beyond the old end is a hole. */
export function setSize(descriptor: number, sizeBytes: number): Result {
  return ftruncate(descriptor, sizeBytes);
}
