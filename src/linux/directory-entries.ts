import { type ByteString, byteString } from "../tar/byte-string.ts";
import { calls, declare, type Result } from "./libc.ts";

const getdents64 = declare<[number, number, Uint8Array, number]>("syscall", ["long", "int", "void*", "long"], "long");
const lseek = declare<[number, number, number]>("lseek", ["int", "long", "int"], "long");

const DT_DIR = 4;
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

const bytes = new Uint8Array(32 * 1024);
const view = new DataView(bytes.buffer);

/** A name in a directory. Some file systems never set `isDirectory`. */
export interface DirectoryEntry {
  readonly name: ByteString;
  readonly isDirectory: boolean;
}

/**
 * The next names of an open directory, as many as one system call gives, without `.` and `..`. An empty list means the
 * end. A number is a negated errno.
 *
 *   struct linux_dirent64 { u64 ino; s64 offset; u16 length; u8 type; char name[]; }
 */
export function readEntries(directory: number): readonly DirectoryEntry[] | Result {
  const entries: DirectoryEntry[] = [];
  while (entries.length === 0) {
    const end = getdents64(calls.getdents64, directory, bytes, bytes.length);
    if (end <= 0) return end < 0 ? end : entries;
    for (let start = 0; start < end; start += view.getUint16(start + 16, littleEndian)) {
      const name = byteString(bytes, start + 19, bytes.indexOf(0, start + 19));
      if (name !== "." && name !== "..") entries.push({ name, isDirectory: bytes[start + 18] === DT_DIR });
    }
  }
  return entries;
}

/** Makes the next `readEntries` begin at the beginning. */
export function rewindEntries(directory: number): void {
  lseek(directory, 0, 0);
}
