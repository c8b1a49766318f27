import { Buffer } from "node:buffer";
import type { Memory } from "../base/memory-budget.ts";
import type { Attributes } from "../layer/attributes.ts";
import { type ByteString, byteStringOf, bytesOf, textOf } from "../tar/byte-string.ts";
import type { Timestamp } from "../tar/entry.ts";
import { type Item, inOrder } from "../tree/in-order.ts";
import type { TreeFile } from "../tree/tree-file.ts";
import type { Found } from "./find.ts";

/** Something in an image, as a listing has it. */
export interface ListedEntry {
  /** From the root, without a slash at either end. U+FFFD stands for bytes that are not UTF-8. */
  readonly path: string;
  /** The bytes of the path in base64, where they are not UTF-8. */
  readonly pathBase64?: string;
  readonly type: TreeFile["type"] | "directory";
  /** Permission bits with set-user-ID, set-group-ID and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of files, holes counted; else 0. */
  readonly sizeBytes: number;
  readonly mtime: Timestamp;
  /** Where a symlink leads. */
  readonly linkTarget?: string;
  /** Of a device. */
  readonly deviceMajor?: number;
  readonly deviceMinor?: number;
  /** The names of its extended attributes. */
  readonly xattrs?: readonly string[];
  /** The path of the same file that stands before this one in the listing, where one does. */
  readonly sameFileAs?: string;
  /** The layer that it is from, counted from 0 at the bottom; for a directory, the one that its attributes are from. */
  readonly layer: number;
}

/**
 * What a listing of something has: of a directory what is in it, or all that is below it, in the order of the names' bytes;
 * of anything else that thing itself.
 */
export function* listed({ path, node }: Found, isRecursive: boolean): Iterable<ListedEntry> {
  for (const item of inOrder(node, path, isRecursive ? {} : { levels: 1 })) {
    if (item.directory !== node) yield listedEntry(item);
  }
}

/** What an entry of a listing takes in memory besides its texts. Measured: 255 bytes, on Nodes 20 and 24. */
const entryBytes = 256;

/** The entries of a listing, counted for whoever holds them. */
export function* counted(entries: Iterable<ListedEntry>, memory: Memory): Iterable<ListedEntry> {
  for (const entry of entries) {
    memory.spend(bytesOfListed(entry), "listing");
    yield entry;
  }
}

/** What an entry of a listing takes in memory. */
export function bytesOfListed({
  path,
  pathBase64 = "",
  linkTarget = "",
  sameFileAs = "",
  xattrs = [],
}: ListedEntry): number {
  const texts = [path, pathBase64, linkTarget, sameFileAs, ...xattrs];
  return texts.reduce((bytes, text) => bytes + bytesOfText(text), entryBytes);
}

/** V8 has one byte for each character, or two for each where one of them needs two. */
function bytesOfText(text: string): number {
  return oneByteText.test(text) ? text.length : 2 * text.length;
}

const oneByteText = /^[\0-\xff]*$/;

/** One thing in an image, as listings have it. */
export function listedEntry(item: Item): ListedEntry {
  const { path, directory, file } = item;
  if (file === undefined) {
    return {
      ...named(path),
      type: "directory",
      ...described(directory.attributes),
      sizeBytes: 0,
      layer: directory.origin,
    };
  }
  const isDevice = file.type === "character-device" || file.type === "block-device";
  return {
    ...named(path),
    type: file.type,
    ...described(file),
    sizeBytes: file.sizeBytes,
    ...(file.type === "symlink" && { linkTarget: textOf(file.linkPath) }),
    ...(isDevice && { deviceMajor: file.deviceMajor, deviceMinor: file.deviceMinor }),
    ...(item.firstPath !== undefined && { sameFileAs: textOf(item.firstPath) }),
    layer: file.origin,
  };
}

function named(path: ByteString): Pick<ListedEntry, "path" | "pathBase64"> {
  const text = textOf(path);
  if (byteStringOf(text) === path) return { path: text };
  return { path: text, pathBase64: Buffer.from(bytesOf(path)).toString("base64") };
}

function described({ mode, uid, gid, mtime, xattrs }: Attributes) {
  return { mode, uid, gid, mtime, ...(xattrs !== undefined && { xattrs: [...xattrs.keys()].map(textOf) }) };
}
