import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import { Findings, nobody } from "../layer/findings.ts";
import { XattrFilter, XattrRules } from "../layer/xattr-rules.ts";
import { changeMode, changeModeAt, changeOwner } from "../linux/attributes.ts";
import { shareContent } from "../linux/content.ts";
import { errnos } from "../linux/errno.ts";
import type { Result } from "../linux/libc.ts";
import { closeDescriptor, makeLinkAt, makeNodeAt, makeSymlinkAt, openAt } from "../linux/syscalls.ts";
import { DiskXattrs } from "../rootfs/disk-xattrs.ts";
import { failure } from "../rootfs/failure.ts";
import type { FileSystemTraits } from "../rootfs/file-system-probe.ts";
import { Metadata } from "../rootfs/metadata.ts";
import { Owners } from "../rootfs/owners.ts";
import { XattrIds } from "../rootfs/xattr-ids.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import type { Entry } from "../tar/entry.ts";
import { copyContent, smallContent, writeAt } from "./copied-content.ts";
import { type KeptFiles, type KeptName, openKept } from "./kept-source.ts";
import {
  type Listed,
  type ListedAttributes,
  type ListedFile,
  type ListedNode,
  type ListedSymlink,
  timestampOf,
} from "./tree-list.ts";

/** How the content of a file comes from a kept tree into its clone. */
export type Transfer = "reflink" | "copy" | "hardlink";

const newFile = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW;
const typeBits = {
  fifo: constants.S_IFIFO,
  "character-device": constants.S_IFCHR,
  "block-device": constants.S_IFBLK,
} as const;
/** What the owner of a directory needs to make things in it. */
const passable = 0o700;
const nothing = byteStringOf("");
const dot = byteStringOf(".");

/** What a clone is made with. */
export interface NewFilesParts {
  readonly transfer: Transfer;
  readonly fileSystem: FileSystemTraits;
  readonly kept: KeptFiles;
  /** Is called before each chunk of a large file, and may throw. */
  readonly goOn: () => void;
}

/**
 * Makes the files of a clone. Their attributes come from the list, where they are as they have to be on this machine:
 * nothing is mapped or filtered again, and what cannot be had here is `STRICT_VIOLATION`.
 */
export class NewFiles {
  readonly #parts: NewFilesParts;
  readonly #metadata: Metadata;

  constructor(parts: NewFilesParts) {
    this.#parts = parts;
    const findings = new Findings(nobody, true);
    const owners = new Owners({ owner: "preserve", areRecorded: false }, parts.fileSystem, findings);
    const everything = new XattrRules(new XattrFilter({ include: ["*"], exclude: [] }), findings);
    const xattrs = new DiskXattrs(everything, findings, new XattrIds({}));
    this.#metadata = new Metadata(parts.fileSystem, owners, xattrs, findings);
  }

  /** Makes what is no directory, in an open directory. */
  make(listed: Listed, source: number, target: number): void {
    const kept = { directory: source, name: listed.name };
    if (listed.type === "file") return this.#makeFile(listed, kept, target);
    this.#parts.kept.insistOnName(kept, listed);
    const entry = entryOf(listed, listed);
    const [result, call] = this.#makeNode(listed, target);
    if (result < 0) throw failure("create", listed.name, call, result);
    this.#metadata.completeNode(target, listed.name, entry);
  }

  /** Gives a directory its attributes, now that all is in it that is to be. */
  completeDirectory(parent: number, name: ByteString, attributes: ListedAttributes): void {
    this.#metadata.completeNode(parent, name, entryOf({ type: "directory", name }, attributes));
    if ((attributes.mode & passable) === passable) return;
    // It was made so that things can be made in it.
    const result = changeModeAt(parent, name, attributes.mode);
    if (result < 0) throw failure("set the mode of", name, "fchmodat", result);
  }

  /** Gives the root its attributes. It was not made here, and may have its group and its mode from where it stands. */
  completeRoot(root: number, attributes: ListedAttributes): void {
    const { mode, uid, gid } = attributes;
    const owned = changeOwner(root, uid, gid);
    if (owned < 0) throw failure("give away", dot, "fchown", owned);
    const changed = changeMode(root, mode);
    if (changed < 0) throw failure("set the mode of", dot, "fchmod", changed);
    this.completeDirectory(root, dot, attributes);
  }

  /** The mode to make a directory with. */
  newDirectoryMode(mode: number): number {
    return (mode & 0o777) | passable;
  }

  #makeNode(listed: ListedSymlink | ListedNode, target: number): [Result, string] {
    if (listed.type === "symlink") return [makeSymlinkAt(target, listed.name, listed.target), "symlinkat"];
    const mode = typeBits[listed.type] | (listed.mode & 0o777);
    return [makeNodeAt(target, listed.name, mode, listed.deviceMajor, listed.deviceMinor), "mknodat"];
  }

  #makeFile(listed: ListedFile, kept: KeptName, target: number): void {
    if (this.#parts.transfer === "hardlink" && this.#isLinked(listed, kept, target)) return;
    const from = openKept(kept);
    try {
      this.#copyFile(from, listed, kept, target);
    } finally {
      closeDescriptor(from);
    }
  }

  /** Gives the file in the store a further name. Where it has as many as it may, or another mode, it has to be copied. */
  #isLinked(listed: ListedFile, kept: KeptName, target: number): boolean {
    if (listed.keptMode !== undefined) return false;
    if (this.#parts.kept.insistOnName(kept, listed).nameCount > mostNames) return false;
    const result = makeLinkAt(kept.directory, listed.name, target, listed.name);
    if (result === -errnos.EMLINK) return false;
    if (result < 0) throw failure("link to", listed.name, "linkat", result);
    return true;
  }

  #copyFile(from: number, listed: ListedFile, kept: KeptName, target: number): void {
    const { transfer, goOn } = this.#parts;
    // Looked at after it was read: whatever was changed before or meanwhile is noticed.
    const content = transfer === "reflink" ? undefined : smallContent(from, listed);
    if (content !== undefined) this.#parts.kept.insistOnFile(from, kept, listed);
    const entry = entryOf(listed, listed);
    const to = openAt(target, listed.name, newFile, this.#metadata.newMode(entry));
    if (to < 0) throw failure("create", listed.name, "openat(O_CREAT|O_EXCL)", to);
    try {
      if (content !== undefined) writeAt(to, content, 0, listed.name);
      else if (transfer === "reflink") share(from, to, listed);
      else copyContent(from, to, listed, goOn);
      if (content === undefined) this.#parts.kept.insistOnFile(from, kept, listed);
      this.#metadata.completeFile(to, entry);
    } finally {
      closeDescriptor(to);
    }
  }
}

/**
 * A file in the store that has more names is copied. A clone gives it at most as many again as it has, one for each of
 * its names in the tree, and the file systems that have a limit allow 32,000 at least (ext3): so all names of a file in a
 * clone are one file, whichever they are.
 */
const mostNames = 15_000;

function share(from: number, to: number, { name, sizeBytes }: ListedFile): void {
  if (sizeBytes === 0) return;
  const result = shareContent(to, from);
  if (result < 0) throw failure("share the content of", name, "ioctl(FICLONE)", result);
}

/** What the list says, as an entry says it. */
function entryOf(listed: Described, { mode, uid, gid, mtime, atime, xattrs }: ListedAttributes): Entry {
  const { type, name, sizeBytes = 0, deviceMajor = 0, deviceMinor = 0 } = listed;
  return {
    type,
    typeFlag: "",
    path: name,
    linkPath: nothing,
    mode,
    uid,
    gid,
    sizeBytes,
    mtime: timestampOf(mtime),
    ...(atime !== undefined && { atime: timestampOf(atime) }),
    ...(xattrs !== undefined && { xattrs: valuesOf(xattrs) }),
    deviceMajor,
    deviceMinor,
    offset: 0,
  };
}

/** What an entry says besides attributes. */
interface Described extends Pick<Entry, "type">, Partial<Pick<Entry, "sizeBytes" | "deviceMajor" | "deviceMinor">> {
  readonly name: ByteString;
}

function valuesOf(xattrs: NonNullable<ListedAttributes["xattrs"]>): ReadonlyMap<ByteString, Uint8Array> {
  return new Map(xattrs.map(([name, value]) => [name, Buffer.from(value, "base64")]));
}
