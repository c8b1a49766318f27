import type { ByteString } from "./byte-string.ts";

/** A moment as the kernel's `timespec` holds it. Seconds may be negative; nanoseconds are 0 … 999,999,999. */
export interface Timestamp {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** What kind of file an entry is. `other` is a type flag that has no meaning in a layer; `typeFlag` says which. */
export type EntryType =
  | "file"
  | "directory"
  | "symlink"
  | "hardlink"
  | "fifo"
  | "character-device"
  | "block-device"
  | "other";

/** Whether a file is a device, which has two numbers. */
export function isDevice({ type }: { readonly type: string }): boolean {
  return type === "character-device" || type === "block-device";
}

/** A part of a sparse file that has data. Between segments are holes. */
export interface Segment {
  readonly offset: number;
  readonly length: number;
}

/** One entry of an archive, whatever dialect it was written in. Nothing of it has been checked yet. */
export interface Entry {
  readonly type: EntryType;
  /** The type flag of the header. */
  readonly typeFlag: string;
  /** The path in the archive: not normalised, maybe absolute, maybe hostile. A trailing slash is kept. */
  readonly path: ByteString;
  /** The target of a link as it is in the archive; empty for everything else. */
  readonly linkPath: ByteString;
  /** Permission bits with set-user-ID, set-group-ID and sticky: 0 … 0o7777. */
  readonly mode: number;
  /** The owner's number; user names are ignored. A safe integer, which may be out of the kernel's range. */
  readonly uid: number;
  readonly gid: number;
  /** Size of the file with its holes. 0 for everything that has no data. */
  readonly sizeBytes: number;
  /** The segments of a sparse file, in order and not overlapping. Absent: the file has no holes. */
  readonly segments?: readonly Segment[];
  readonly mtime: Timestamp;
  readonly atime?: Timestamp;
  /** Extended attributes, decoded to binary: `SCHILY.xattr.*`, `LIBARCHIVE.xattr.*`. */
  readonly xattrs?: ReadonlyMap<ByteString, Uint8Array>;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** Where the entry, with its extension headers, begins in the decompressed archive; for error messages. */
  readonly offset: number;
}

/** A source of bytes. A chunk is valid until the next `read` and never empty; `undefined` is the end. */
export interface ByteSource {
  read(): Uint8Array | undefined;
  /** Skips up to `count` bytes and returns how many. Only sources that can seek have this method. */
  skip?(count: number): number;
}
