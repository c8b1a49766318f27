import { dataBytesOf } from "../tar/encoder.ts";
import { Directory } from "../tree/directory.ts";
import { fileOf, type TreeFile } from "../tree/tree-file.ts";

/** What has to be known of a tree before a file system is made for it. */
export interface TreeFacts {
  readonly rootMode: number;
  readonly rootUid: number;
  readonly rootGid: number;
  readonly rootSeconds: number;
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

export function factsOf(root: Directory): TreeFacts {
  const linked = new Set<TreeFile>();
  const pending = [root];
  let inodes = 0;
  let blocks = 0;
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    let nameBytes = 0;
    for (const [name, child] of directory.children()) {
      nameBytes += nameOverheadBytes + name.length;
      if (child instanceof Directory) {
        pending.push(child);
        continue;
      }
      const file = fileOf(child);
      if (linked.has(file)) continue;
      if (file.isLinked) linked.add(file);
      inodes += 1;
      blocks += blocksOf(file);
    }
    inodes += 1;
    // Blocks of names are left half empty where they are split.
    blocks += Math.ceil((2 * nameBytes) / blockBytes) || 1;
  }
  const { mode, uid, gid, mtime } = root.attributes;
  return { rootMode: mode, rootUid: uid, rootGid: gid, rootSeconds: mtime.seconds, inodes, blocks };
}

function blocksOf(file: TreeFile): number {
  if (file.type === "symlink") return file.linkPath.length > longestInlineTarget ? 1 : 0;
  const segments = file.segments;
  const dataBytes = dataBytesOf({ sizeBytes: file.sizeBytes, ...(segments !== undefined && { segments }) });
  // Each segment may begin and end in the middle of a block.
  return Math.ceil(dataBytes / blockBytes) + (segments?.length ?? 0);
}
