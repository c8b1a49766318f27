import type { ByteString } from "../tar/byte-string.ts";
import { dataBytesOf } from "../tar/encoder.ts";
import { inOrder } from "../tree/in-order.ts";
import type { Selection } from "../tree/selection.ts";
import type { TreeDirectory, TreeFile } from "../tree/tree-file.ts";

/** What a program that makes a file system has to know of a tree before it gets the archive. */
export interface TreeFacts {
  readonly rootMode: number;
  readonly rootUid: number;
  readonly rootGid: number;
  readonly rootSeconds: number;
  readonly rootXattrs: ReadonlyMap<ByteString, Uint8Array>;
  /** Files and directories, hard links counted once. */
  readonly inodes: number;
  /** How many blocks the data of files and the names in directories take. */
  readonly blocks: number;
}

/** The size of a block in almost all file systems. */
export const blockBytes = 4096;

/** The longest target of a symlink that fits into an inode (ext4). */
const longestInlineTarget = 59;

/** What an entry of a directory takes besides its name (ext4). */
const nameOverheadBytes = 12;

/** The facts about the part of a tree that is wanted. */
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
  // A directory's blocks may be half empty, because ext4 splits full ones.
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
  // A segment may begin and end in the middle of a block.
  return Math.ceil(dataBytes / blockBytes) + (segments?.length ?? 0);
}
