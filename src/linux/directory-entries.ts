import { Buffer } from "node:buffer";
import type { ByteString } from "../tar/byte-string.ts";
import { calls, declare, type Result } from "./libc.ts";

const getdents64 = declare<[number, number, Uint8Array, number]>("syscall", ["long", "int", "void*", "long"], "long");
const lseek = declare<[number, number, number]>("lseek", ["int", "long", "int"], "long");

const DT_DIR = 4;
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

const bytes = Buffer.alloc(32 * 1024);
const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** A name in a directory. Some file systems never set `isDirectory`. */
export interface DirectoryEntry {
  readonly name: ByteString;
  readonly isDirectory: boolean;
}

/**
 * The next names of an open directory, as many as one system call gives, without `.` and `..`. An empty list means the
 * end. A number is a negated errno.
 */
export function readEntries(directory: number): readonly DirectoryEntry[] | Result {
  const entries: DirectoryEntry[] = [];
  while (entries.length === 0) {
    const end = takeSome(directory, (name, isDirectory) => entries.push({ name, isDirectory }));
    if (end <= 0) return end < 0 ? end : entries;
  }
  return entries;
}

/**
 * Takes a name. `inode` is the number of its inode as the directory has it, which with some file systems is not the one
 * that the file has; where it has more than 53 bits it is not exact.
 */
type TakeEntry = (name: ByteString, isDirectory: boolean, inode: number) => void;

/**
 * Gives all names of an open directory, from where it was read to, without `.` and `..`. The result is 0, or a negated
 * errno.
 */
export function takeEntries(directory: number, take: TakeEntry): Result {
  for (;;) {
    const end = takeSome(directory, take);
    if (end <= 0) return end;
  }
}

/**
 * Makes one system call and gives the names that came with it. The result is 0 at the end.
 *
 *   struct linux_dirent64 { u64 ino; s64 offset; u16 length; u8 type; char name[]; }
 */
function takeSome(directory: number, take: TakeEntry): Result {
  const end = getdents64(calls.getdents64, directory, bytes, bytes.length);
  for (let start = 0; start < end; start += view.getUint16(start + 16, littleEndian)) {
    const nameStart = start + 19;
    let nameEnd = nameStart;
    while (bytes[nameEnd] !== 0) nameEnd += 1;
    const name = bytes.toString("latin1", nameStart, nameEnd) as ByteString;
    if (name === "." || name === "..") continue;
    const low = view.getUint32(littleEndian ? start : start + 4, littleEndian);
    const high = view.getUint32(littleEndian ? start + 4 : start, littleEndian);
    take(name, bytes[start + 18] === DT_DIR, high * 0x1_0000_0000 + low);
  }
  return end;
}

/** Makes the next `readEntries` begin at the beginning. */
export function rewindEntries(directory: number): void {
  lseek(directory, 0, 0);
}
