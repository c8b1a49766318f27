import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import type { XattrFilter } from "../layer/xattr-rules.ts";
import { errnos } from "../linux/errno.ts";
import type { Result } from "../linux/libc.ts";
import { type Stamp, type Stat, stampAt, stampOf, statAt, statOf } from "../linux/stat.ts";
import { closeDescriptor, openUntouchedAt, readSymlinkAt } from "../linux/syscalls.ts";
import { listXattrsAt, readXattrAt } from "../linux/xattrs.ts";
import { failure } from "../rootfs/failure.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { contentDigest } from "./content-digest.ts";
import { type EnterStep, isAt, type Listed, type ListedFile, momentOf } from "./tree-list.ts";

/** Thrown where a kept tree is not as it was recorded any more. */
export class TreeChanged extends Error {}

/** What stands at a name in a kept tree. */
export interface KeptName {
  /** An open handle of its directory. */
  readonly directory: number;
  readonly name: ByteString;
}

/** What the kernel answers where it is this process that has no room. All else says something of the tree. */
const ownFaults = [errnos.EMFILE, errnos.ENFILE, errnos.ENOMEM];

/** The result of a system call about a kept tree. Throws `TreeChanged` if it failed. */
export function unchanged<Value>(result: Value | Result, name: ByteString, call: string): Value {
  if (typeof result !== "number" || result >= 0) return result as Value;
  if (ownFaults.includes(-result)) throw failure("read", name, call, result);
  throw new TreeChanged(`${call} failed`);
}

/** Opens a file of a kept tree for reading; whatever took its place is not followed and does not block. */
export function openKept({ directory, name }: KeptName): number {
  return unchanged(openUntouchedAt(directory, name, constants.O_NONBLOCK), name, "openat");
}

/** Insists that a kept tree is as it was when it was listed, name by name. Throws `TreeChanged` where it is not. */
export class KeptFiles {
  readonly #filter: XattrFilter;

  /** `filter` says which extended attributes are listed. */
  constructor(filter: XattrFilter) {
    this.#filter = filter;
  }

  /** Insists that an open directory has the names that it had. */
  insistOnDirectory(handle: number, { name, ctime }: Pick<EnterStep, "name" | "ctime">): void {
    if (!isAt(unchanged(stampOf(handle), name, "statx").ctime, ctime)) throw new TreeChanged("a directory was changed");
  }

  /**
   * Insists that an open file is as it was. Its time of change tells; that changes too when hard links are made and
   * removed, and then everything else has to be as it was.
   */
  insistOnFile(file: number, kept: KeptName, listed: ListedFile): void {
    if (isUntouched(unchanged(stampOf(file), listed.name, "statx"), listed)) return;
    this.insistOnContent(file, kept, listed);
  }

  /** As `insistOnFile`, whatever the times say. */
  insistOnContent(file: number, kept: KeptName, listed: ListedFile): void {
    this.#insistOnAttributes(unchanged(statOf(file), listed.name, "statx"), kept, listed);
    const digest = unchanged(contentDigest(file, listed.sizeBytes, listed.isSparse === true), listed.name, "pread");
    if (digest !== listed.digest) throw new TreeChanged("a file was changed");
  }

  /** Insists that what stands at a name and is no directory is as it was. A file is opened only if it has to be read. */
  insistOnName(kept: KeptName, listed: Listed): Stamp {
    const { directory, name } = kept;
    const stamp = unchanged(stampAt(directory, name), name, "statx");
    if (!isUntouched(stamp, listed)) this.insistOnAll(kept, listed);
    return stamp;
  }

  /** As `insistOnName`, whatever the times say. */
  insistOnAll(kept: KeptName, listed: Listed): void {
    const { directory, name } = kept;
    if (listed.type === "file") {
      const file = openKept(kept);
      try {
        this.insistOnContent(file, kept, listed);
      } finally {
        closeDescriptor(file);
      }
      return;
    }
    this.#insistOnAttributes(unchanged(statAt(directory, name), name, "statx"), kept, listed);
    if (listed.type === "symlink" && readSymlinkAt(directory, name) !== listed.target) {
      throw new TreeChanged("a symlink was changed");
    }
  }

  /** What is listed, with its time of change as it is now. Whatever else can be seen without reading has to be as it was. */
  refreshed({ directory, name }: KeptName, listed: Listed): Listed {
    const stat = unchanged(statAt(directory, name), name, "statx");
    if (!hasAttributes(stat, listed)) throw new TreeChanged("attributes were changed");
    return { ...listed, ctime: momentOf(stat.ctime) };
  }

  #insistOnAttributes(stat: Stat, kept: KeptName, listed: Listed): void {
    if (!hasAttributes(stat, listed) || !this.#hasXattrs(kept, listed)) {
      throw new TreeChanged("attributes were changed");
    }
  }

  #hasXattrs({ directory, name }: KeptName, { xattrs = [] }: Listed): boolean {
    const names = unchanged(listXattrsAt(directory, name), name, "llistxattr");
    const present = names.filter((each) => this.#filter.verdict(each) === "set");
    return (
      present.length === xattrs.length &&
      xattrs.every(([xattr, value]) => {
        const found = readXattrAt(directory, name, xattr);
        return typeof found !== "number" && Buffer.from(found).toString("base64") === value;
      })
    );
  }
}

function isUntouched({ ctime, mtime, sizeBytes }: Stamp, listed: Listed): boolean {
  if (!isAt(ctime, listed.ctime) || !isAt(mtime, listed.mtime)) return false;
  return listed.type !== "file" || sizeBytes === listed.sizeBytes;
}

function hasAttributes(stat: Stat, listed: Listed): boolean {
  if (stat.type !== listed.type || stat.uid !== listed.uid || stat.gid !== listed.gid) return false;
  if (!isAt(stat.mtime, listed.mtime)) return false;
  switch (listed.type) {
    case "symlink":
      return true; // it has no mode
    case "file":
      return stat.mode === (listed.keptMode ?? listed.mode) && stat.sizeBytes === listed.sizeBytes;
    default:
      return (
        stat.mode === listed.mode && stat.deviceMajor === listed.deviceMajor && stat.deviceMinor === listed.deviceMinor
      );
  }
}
