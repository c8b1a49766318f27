import type { Memory } from "../base/memory-budget.ts";
import type { Attributes } from "../layer/directory.ts";
import { textOf } from "../tar/byte-string.ts";
import type { Timestamp } from "../tar/entry.ts";
import type { Found } from "./find.ts";
import { type Item, inOrder } from "./in-order.ts";
import { type NamedPath, namedPath } from "./named-path.ts";
import type { TreeFile } from "./tree-file.ts";

/** An entry of a listing: something in the merged image. */
export interface ListedEntry extends NamedPath {
  readonly type: TreeFile["type"] | "directory";
  /** The permission bits, set-user-ID, set-group-ID and sticky included. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** The size of a file, holes included; 0 for everything else. */
  readonly sizeBytes: number;
  /**
   * The SHA-256 of a regular file with zeros for its holes, `sha256:…`, where it was asked for. Absent for a sparse file
   * whose holes are too large to be digested.
   */
  readonly digest?: string;
  readonly mtime: Timestamp;
  /** The target of a symlink. */
  readonly linkTarget?: string;
  /** The major number of a device. */
  readonly deviceMajor?: number;
  /** The minor number of a device. */
  readonly deviceMinor?: number;
  /** The names of the extended attributes. */
  readonly xattrs?: readonly string[];
  /** For a hard link, the path in this listing that was the first for the same file. */
  readonly sameFileAs?: string;
  /** The layer that the entry is from, from 0 at the bottom. For a directory, the one that its attributes are from. */
  readonly layer: number;
}

/** The digests of the files of a tree, in hexadecimal digits. */
export interface FileDigests {
  get(file: TreeFile): string | undefined;
}

/**
 * The listing of what was found. For a directory it has what is in it or, if recursive, all that is below it, in the
 * order of the names' bytes. For anything else it has that thing itself.
 */
export function* listed({ path, node }: Found, isRecursive: boolean, digests?: FileDigests): Iterable<ListedEntry> {
  for (const item of inOrder(node, path, isRecursive ? {} : { levels: 1 })) {
    if (item.directory !== node) yield listedEntry(item, digests);
  }
}

/** How much memory an entry takes besides its texts. Measured: 255 bytes, on Node 20 and 24. */
const entryBytes = 256;

/** Passes entries on and counts their memory. */
export function* counted(entries: Iterable<ListedEntry>, memory: Memory): Iterable<ListedEntry> {
  for (const entry of entries) {
    memory.spend(bytesOfListed(entry), "listing");
    yield entry;
  }
}

/** How much memory an entry of a listing takes. */
export function bytesOfListed({
  path,
  pathBase64 = "",
  digest = "",
  linkTarget = "",
  sameFileAs = "",
  xattrs = [],
}: ListedEntry): number {
  const texts = [path, pathBase64, digest, linkTarget, sameFileAs, ...xattrs];
  return texts.reduce((bytes, text) => bytes + bytesOfText(text), entryBytes);
}

/** V8 stores a text with one byte for each character, or with two for each if one of them needs two. */
function bytesOfText(text: string): number {
  return oneByteText.test(text) ? text.length : 2 * text.length;
}

const oneByteText = /^[\0-\xff]*$/;

/** Makes the entry of a listing for an item of the merged tree. */
export function listedEntry(item: Item, digests?: FileDigests): ListedEntry {
  const { path, directory, file } = item;
  if (file === undefined) {
    return {
      ...namedPath(path),
      type: "directory",
      ...described(directory.attributes),
      sizeBytes: 0,
      layer: directory.origin,
    };
  }
  const isDevice = file.type === "character-device" || file.type === "block-device";
  const digest = file.type === "file" ? digests?.get(file) : undefined;
  return {
    ...namedPath(path),
    type: file.type,
    ...described(file),
    sizeBytes: file.sizeBytes,
    ...(digest !== undefined && { digest: `sha256:${digest}` }),
    ...(file.type === "symlink" && { linkTarget: textOf(file.linkPath) }),
    ...(isDevice && { deviceMajor: file.deviceMajor, deviceMinor: file.deviceMinor }),
    ...(item.firstPath !== undefined && { sameFileAs: textOf(item.firstPath) }),
    layer: file.origin,
  };
}

function described({ mode, uid, gid, mtime, xattrs }: Attributes) {
  return { mode, uid, gid, mtime, ...(xattrs !== undefined && { xattrs: [...xattrs.keys()].map(textOf) }) };
}
