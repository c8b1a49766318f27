import type { ByteString } from "../tar/byte-string.ts";
import { dataBytesOf } from "../tar/encoder.ts";
import { inOrder } from "../tree/in-order.ts";
import type { Selection } from "../tree/selection.ts";
import type { TreeDirectory, TreeFile } from "../tree/tree-file.ts";

/** What has to be known of a tree before a file system is made for it. */
export interface TreeFacts {
  readonly rootMode: number;
  readonly rootUid: number;
  readonly rootGid: number;
  readonly rootSeconds: number;
  readonly rootXattrs: ReadonlyMap<ByteString, Uint8Array>;
  /** Files and directories, hard links counted once. */
  readonly inodes: number;
  /** What the data of files and the names in directories take, in blocks. */
  readonly blocks: number;
}

/** The size of a block, in almost every file system. */
export const blockBytes = 4096;

/** A symlink's target that is longer does not fit into an inode (ext4). */
const longestInlineTarget = 59;

/** An entry of a directory takes this and its name (ext4). */
const nameOverheadBytes = 12;

/** Tells what a file system must have for what is wanted of a tree. */
export function factsOf(root: TreeDirectory, wanted: Selection): TreeFacts {
  let inodes = 0;
  let blocks = 0;
  let nameBytes = 0;
  for (const item of inOrder(root, rootPath, { wanted })) {
    const { path, file } = item;
    nameBytes += nameOverheadBytes + path.length - path.lastIndexOf("/") - 1;
    if (item.file !== undefined && item.firstPath !== undefined) continue;
    inodes += 1;
    blocks += file === undefined ? 1 : blocksOf(file);
  }
  // Blocks of names are left half empty where they are split.
  blocks += Math.ceil((2 * nameBytes) / blockBytes);
  const { mode, uid, gid, mtime, xattrs = new Map() } = root.attributes;
  return {
    rootMode: mode,
    rootUid: uid,
    rootGid: gid,
    rootSeconds: mtime.seconds,
    rootXattrs: xattrs,
    inodes,
    blocks,
  };
}

const rootPath = "" as ByteString;

function blocksOf(file: TreeFile): number {
  if (file.type === "symlink") return file.linkPath.length > longestInlineTarget ? 1 : 0;
  const segments = file.segments;
  const dataBytes = dataBytesOf({ sizeBytes: file.sizeBytes, ...(segments !== undefined && { segments }) });
  // Each segment may begin and end in the middle of a block.
  return Math.ceil(dataBytes / blockBytes) + (segments?.length ?? 0);
}
