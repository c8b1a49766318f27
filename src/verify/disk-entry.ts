import { createHash, type Hash } from "node:crypto";
import { constants } from "node:fs";
import { nextData, readSomeAt } from "../linux/content.ts";
import type { Result } from "../linux/libc.ts";
import { closeDescriptor, openUntouchedAt } from "../linux/syscalls.ts";
import { failure } from "../rootfs/failure.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { Segment } from "../tar/entry.ts";
import type { TreeFile } from "../tree/tree-file.ts";

/** A name in an open directory. `path` is for messages. */
export interface DiskEntry {
  readonly descriptor: number;
  readonly name: ByteString;
  readonly path: ByteString;
}

/** The result of a system call. Throws if it failed. */
export function succeeded<Value>(result: Value | Result, path: ByteString, call: string): Value {
  if (typeof result === "number" && result < 0) throw failure("examine", path, call, result);
  return result as Value;
}

const chunk = new Uint8Array(256 * 1024);

/**
 * Whether a regular file has the data that the archive had. `digest` is the digest of the archive's data without the
 * holes. Holes must have no data but zeros; where the file has a hole too, nothing is read, however large it is.
 */
export function hasContent(entry: DiskEntry, file: TreeFile, digest: string): boolean {
  const { path } = entry;
  // In case somebody replaced it by a fifo, which would block.
  const handle = succeeded(
    openUntouchedAt(entry.descriptor, entry.name, constants.O_NONBLOCK),
    path,
    "openat(O_RDONLY)",
  );
  try {
    const { sizeBytes, segments = [{ offset: 0, length: sizeBytes }] } = file;
    const hash = createHash("sha256");
    for (const segment of segments) digestSegment(handle, segment, hash, path);
    return hash.digest("hex") === digest && holesOf(segments, sizeBytes).every((hole) => isEmpty(handle, hole, path));
  } finally {
    closeDescriptor(handle);
  }
}

function digestSegment(handle: number, { offset, length }: Segment, hash: Hash, path: ByteString): void {
  for (let done = 0; done < length; ) {
    const piece = chunk.subarray(0, length - done);
    const bytes = succeeded(readSomeAt(handle, piece, offset + done), path, "pread");
    if (bytes === 0) return;
    hash.update(piece.subarray(0, bytes));
    done += bytes;
  }
}

function holesOf(segments: readonly Segment[], sizeBytes: number): readonly Segment[] {
  const ends = segments.map(({ offset, length }) => offset + length);
  const starts = [...segments.map(({ offset }) => offset), sizeBytes];
  return starts
    .map((start, index) => ({ offset: ends[index - 1] ?? 0, length: start - (ends[index - 1] ?? 0) }))
    .filter(({ length }) => length > 0);
}

function isEmpty(handle: number, { offset, length }: Segment, path: ByteString): boolean {
  const end = offset + length;
  for (let at = nextData(handle, offset); at < end; at = nextData(handle, at)) {
    const piece = chunk.subarray(0, end - succeeded(at, path, "lseek(SEEK_DATA)"));
    const bytes = succeeded(readSomeAt(handle, piece, at), path, "pread");
    if (bytes === 0 || piece.subarray(0, bytes).some((byte) => byte !== 0)) return bytes === 0;
    at += bytes;
  }
  return true;
}
