import type { DifferentPart } from "../base/option-words.ts";
import type { Stat } from "../linux/stat.ts";
import { textOf } from "../tar/byte-string.ts";
import type { Selection } from "../tree/selection.ts";
import type { TreeNode } from "../tree/tree-file.ts";
import type { Difference } from "./difference.ts";
import type { DiskEntry } from "./disk-entry.ts";

/** What was found at a name of the tree. */
export interface FoundOnDisk {
  readonly stat: Stat;
  /** What is different. */
  readonly parts: readonly DifferentPart[];
  /** Whether this user may not read it, so that its content, or what is in it, cannot be compared. */
  readonly isUnreadable: boolean;
}

/** Is told of everything that is compared, a directory before what is in it. */
export interface ComparisonObserver {
  found(node: TreeNode, entry: DiskEntry, found: FoundOnDisk): void;
  /**
   * All that the tree has in a directory, and below, has been compared. `descriptor` is an open handle of it. Told of those
   * that are directories on the disk, and could be read.
   */
  left?(descriptor: number): void;
  /** The tree has it, and the directory has not. */
  missing(node: TreeNode, entry: DiskEntry): void;
  /** The directory has it, and the tree has not. What is below it is not looked at; `leftAlone` says what of that may be. */
  surplus(entry: DiskEntry, leftAlone: Selection): void;
  /** This user may not even look at it. */
  unreadable(node: TreeNode, entry: DiskEntry): void;
}

/** Tells what is different, and nothing of what is not. */
export function tellingDifferences(tell: (difference: Difference) => void): ComparisonObserver {
  return {
    found(_node, { path }, { parts, isUnreadable }) {
      if (isUnreadable) tell({ kind: "unreadable", path: textOf(path) });
      if (parts.length > 0) tell({ kind: "changed", path: textOf(path), parts });
    },
    missing: (_node, { path }) => tell({ kind: "missing", path: textOf(path) }),
    surplus: ({ path }) => tell({ kind: "added", path: textOf(path) }),
    unreadable: (_node, { path }) => tell({ kind: "unreadable", path: textOf(path) }),
  };
}
