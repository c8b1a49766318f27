import type { BackEndTypes, Directory, EntryDestination } from "../layer/directory.ts";
import type { Stat } from "../linux/stat.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { XattrValues } from "./disk-xattrs.ts";
import type { LowerDirectory } from "./lower-directory.ts";

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
