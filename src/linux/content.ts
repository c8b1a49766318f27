import type { Segment } from "../tar/entry.ts";
import { errnos } from "./errno.ts";
import { declare, type Result } from "./libc.ts";

/* System calls for the bytes of open files. As in C, a call may write or read fewer bytes than it was given. */

const write = declare<[number, Uint8Array, number]>("write", ["int", "const void*", "long"], "long");

export function writeSome(descriptor: number, bytes: Uint8Array): Result {
  return write(descriptor, bytes, bytes.length);
}

const pwrite = declare<[number, Uint8Array, number, number]>("pwrite", ["int", "const void*", "long", "long"], "long");

export function writeSomeAt(descriptor: number, bytes: Uint8Array, offset: number): Result {
  return pwrite(descriptor, bytes, bytes.length, offset);
}

const read = declare<[number, Uint8Array, number]>("read", ["int", "void*", "long"], "long");

/** Returns the number of bytes read, 0 at the end. */
export function readSome(descriptor: number, bytes: Uint8Array): Result {
  return read(descriptor, bytes, bytes.length);
}

const ftruncate = declare<[number, number]>("ftruncate", ["int", "long"]);

/** Sets the size of a file. What is beyond its old end becomes a hole. */
export function setSize(descriptor: number, sizeBytes: number): Result {
  return ftruncate(descriptor, sizeBytes);
}

const pread = declare<[number, Uint8Array, number, number]>("pread", ["int", "void*", "long", "long"], "long");

export function readSomeAt(descriptor: number, bytes: Uint8Array, offset: number): Result {
  return pread(descriptor, bytes, bytes.length, offset);
}

const syncfs = declare<[number]>("syncfs", ["int"]);

/** Waits until everything that was written to a file system is on the disk. `descriptor` is any open file on it. */
export function syncFileSystem(descriptor: number): Result {
  return syncfs(descriptor);
}

const lseek = declare<[number, number, number]>("lseek", ["int", "long", "int"], "long");

const SEEK_DATA = 3;
const SEEK_HOLE = 4;

/** The offset of the next data from `offset` on; `Infinity` if only a hole follows. */
export function nextData(descriptor: number, offset: number): Result {
  const found = lseek(descriptor, offset, SEEK_DATA);
  return found === -errnos.ENXIO ? Number.POSITIVE_INFINITY : found;
}

/** The offset of the next hole from `offset` on. The end of a file counts as one. */
export function nextHole(descriptor: number, offset: number): Result {
  return lseek(descriptor, offset, SEEK_HOLE);
}

/** The parts of a file that have data; the rest are holes. On a file system without holes all of it is data. */
export function dataSegments(descriptor: number, sizeBytes: number): readonly Segment[] | Result {
  const segments: Segment[] = [];
  for (let end = 0; end < sizeBytes; ) {
    const offset = nextData(descriptor, end);
    if (offset < 0) return offset;
    if (offset >= sizeBytes) break;
    end = nextHole(descriptor, offset);
    if (end < 0) return end;
    segments.push({ offset, length: end - offset });
  }
  return segments;
}

const ioctl = declare<[number, number, number]>("ioctl", ["int", "long", "int"]);

/** ioctl_ficlone(2): _IOW(0x94, 9, int). */
const FICLONE = 0x40049409;

/** Makes a file's content that of another one, with which it shares the blocks from then on. Both are open. */
export function shareContent(descriptor: number, other: number): Result {
  return ioctl(descriptor, FICLONE, other);
}
