import type { BackEndTypes, Directory, EntryDestination } from "../layer/directory.ts";
import type { Stat } from "../linux/stat.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { XattrValues } from "./disk-xattrs.ts";

/**
 * What is known of a directory on a disk besides what every directory of a tree has. All of them were made here, so
 * that where one lies is known without asking; files are looked for on the disk.
 */
export class DiskState {
  /** The mode that it has on disk meanwhile: it is open to its owner, and its attributes wait for the end. */
  readonly workingMode: number;
  /** Whether it has extended attributes that came from an entry. */
  hasXattrs = false;
  /** Its access-control lists, which wait for the end: until then they would be passed on to what is made in it. */
  acls: XattrValues | undefined;
  /** What the layers below show in it, where they lie elsewhere; nothing where this layer begins it anew. */
  lower: LowerDirectory | undefined;
  /** Whether it is on disk. One of the layers below is made here when something is put into it. */
  isMade = true;
  /** Names of the layers below that are hidden. To be changed by `Tree` only. */
  hidden: Set<ByteString> | undefined;
  /** Names of files in it that others are making. Belongs to `HandedFiles`. */
  handed: Set<ByteString> | undefined;
  /** An open handle, or -1. Belongs to `Handles`, as do the next two. */
  descriptor = -1;
  /** Whether the handle is good for more than for names. */
  isOpened = false;
  isRecentlyUsed = false;

  constructor(workingMode: number) {
    this.workingMode = workingMode;
  }

  /** Forgets what a directory that is gone has no use for. */
  clear(): void {
    this.acls = undefined;
    this.hidden = undefined;
    this.lower = undefined;
  }
}

/** What a tree on a disk keeps. */
export interface OnDisk extends BackEndTypes {
  readonly file: never;
  readonly own: DiskState;
  readonly original: FoundFile;
}

/** A file that is no directory, and where it stands. */
export interface FoundFile {
  /** An open handle of its directory. */
  readonly handle: number;
  readonly name: ByteString;
  readonly stat: Stat;
  /** Whether it is one of the layers below, whose directory is theirs. */
  readonly isBelow: boolean;
}

/** A directory of the root filesystem. */
export type DiskDirectory = Directory<OnDisk>;

/** Where something is to be in the root filesystem. */
export type DiskDestination = EntryDestination<OnDisk>;

/**
 * A directory of the layers below, where they lie in directories of their own and an overlay will show all as one.
 *
 * What is asked here is what such an overlay would answer if it ended with those layers.
 */
export interface LowerDirectory {
  /** With the owner that the image states, which may be another on this machine. */
  readonly stat: Stat;
  readonly xattrs: XattrValues;
  /** What it takes in memory. */
  readonly bytes: number;
  /** What stands at a name. */
  find(name: ByteString): LowerNode | undefined;
  /** All names in it. */
  names(): Iterable<ByteString>;
}

/** A directory, or anything else, which then stands at that name in the directory that `handle` is open for. */
export type LowerNode =
  | { readonly directory: LowerDirectory }
  | { readonly directory?: never; readonly handle: number; readonly stat: Stat };

// What things take in memory besides their texts, places in maps included. Measured on Node 20 with 100,000 of each,
// and rounded up: a directory 420 bytes, 567 with one in it; a name in a set 50; one attribute that waits 480.
const directoryBytes = 576;
const hiddenBytes = 64;
const attributesBytes = 200;
const attributeBytes = 304;

/** What a directory takes, with all that is remembered for it. */
export function bytesOfDirectory(directory: DiskDirectory): number {
  const { name, own } = directory;
  const { acls } = own;
  return directoryBytes + name.length + bytesBelow(directory) + (acls === undefined ? 0 : bytesOfAttributes(acls));
}

/** What is remembered of the layers below for a directory. */
export function bytesBelow({ own }: DiskDirectory): number {
  const { lower, hidden } = own;
  let bytes = lower?.bytes ?? 0;
  if (hidden !== undefined) for (const name of hidden) bytes += bytesOfHidden(name);
  return bytes;
}

export function bytesOfHidden(name: ByteString): number {
  return hiddenBytes + name.length;
}

export function bytesOfAttributes(values: XattrValues): number {
  let bytes = attributesBytes;
  for (const [name, value] of values) bytes += attributeBytes + name.length + value.length;
  return bytes;
}
