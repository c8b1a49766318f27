import type { ByteString } from "./byte-string.ts";

/** A moment as the kernel's `timespec` holds it. Seconds may be negative; nanoseconds are 0 … 999,999,999. */
export interface Timestamp {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** What an entry makes. `other` is a type flag that has no meaning in a layer; `typeFlag` says which. */
export type EntryType =
  | "file"
  | "directory"
  | "symlink"
  | "hardlink"
  | "fifo"
  | "character-device"
  | "block-device"
  | "other";

/** A run of data in a sparse file. What lies between segments is a hole. */
export interface Segment {
  readonly offset: number;
  readonly length: number;
}

/** One member of an archive, with every dialect's way of saying things already resolved. Nothing is judged yet. */
export interface Entry {
  readonly type: EntryType;
  /** The type flag as it stands in the header. */
  readonly typeFlag: string;
  /** As the archive says it: not normalised, maybe absolute, maybe hostile. A trailing slash is kept. */
  readonly path: ByteString;
  /** A link's target as the archive says it; empty for anything but links. */
  readonly linkPath: ByteString;
  /** Permission bits with set-user-ID, set-group-ID and sticky: 0 … 0o7777. */
  readonly mode: number;
  /** Numeric owner; the archive's user names are ignored. Safe integers, not yet checked against the kernel's range. */
  readonly uid: number;
  readonly gid: number;
  /** Size of the file, holes counted. 0 for whatever has no body. */
  readonly sizeBytes: number;
  /** Where the data goes in a sparse file, in order, not overlapping; absent: one run of `sizeBytes`. */
  readonly segments?: readonly Segment[];
  readonly mtime: Timestamp;
  readonly atime?: Timestamp;
  /** Extended attributes, decoded to binary: `SCHILY.xattr.*`, `LIBARCHIVE.xattr.*`. */
  readonly xattrs?: ReadonlyMap<ByteString, Uint8Array>;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** Where the entry begins in the decompressed archive, its extension headers counted; for messages. */
  readonly offset: number;
}

/** Bytes in order. A chunk is valid only until the next `read`; `undefined` is the end. Chunks are never empty. */
export interface ByteSource {
  read(): Uint8Array | undefined;
  /**
   * Passes over up to `count` bytes that come next and says how many there were. Only sources that can seek have it.
   */
  skip?(count: number): number;
}
