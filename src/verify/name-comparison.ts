import { takeEntries } from "../linux/directory-entries.ts";
import type { Stat } from "../linux/stat.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { Selection } from "../tree/selection.ts";
import type { TreeDirectory, TreeNode } from "../tree/tree-file.ts";
import { succeeded } from "./disk-entry.ts";

/** An open directory that is compared with one of a tree. */
export interface OpenDirectory {
  readonly directory: TreeDirectory;
  readonly descriptor: number;
  readonly fileSystem: Stat["fileSystem"];
  readonly path: ByteString;
}

/** A name that was read in a directory. It is valid until the next one. */
export interface FoundName extends OpenDirectory {
  readonly name: ByteString;
  /** The number of the inode as the directory has it. */
  readonly inode: number;
}

/** Whether a name that is there need not be looked at, because that was done. */
export type IsProven = (node: TreeNode, at: FoundName) => boolean;

/** A name that the tree does not have. */
interface SurplusName {
  readonly name: ByteString;
  /** What of that which is below it may be there. */
  readonly below: Selection;
}

/** What a comparison of the names of a directory gives. */
export interface ComparedNames {
  /** Those that the tree does not have, and that may not be there. */
  readonly surplus: readonly SurplusName[];
  /** Whether nothing came or went. */
  readonly areSame: boolean;
  /** Those of the tree that have to be looked at. */
  readonly remaining: Iterable<readonly [ByteString, TreeNode]>;
}

export const noNames: ComparedNames = { surplus: [], areSame: true, remaining: [] };

/** Compares the names in a directory with those in a tree. */
export class NameComparison {
  readonly #mayLack: ((node: TreeNode) => boolean) | undefined;
  readonly #isProven: IsProven | undefined;

  /** `mayLack` says of what is in the tree whether the directory may be without; absent: of nothing. */
  constructor(mayLack: ((node: TreeNode) => boolean) | undefined, isProven: IsProven | undefined) {
    this.#mayLack = mayLack;
    this.#isProven = isProven;
  }

  compare(opened: OpenDirectory, leftAlone: Selection): ComparedNames {
    const { directory, descriptor, fileSystem, path } = opened;
    const [mayLack, isProven] = [this.#mayLack, this.#isProven];
    const at = { directory, descriptor, fileSystem, path, name: path, inode: 0 };
    const surplus: SurplusName[] = [];
    const unproven: (readonly [ByteString, TreeNode])[] = [];
    let common = 0;
    let isMore = false;
    const result = takeEntries(descriptor, (name, _isDirectory, inode) => {
      const node = directory.child(name);
      if (node === undefined) {
        isMore = true;
        const below = leftAlone.below(name);
        if (!below.isWanted) surplus.push({ name, below });
        return;
      }
      if (mayLack?.(node) !== true) common += 1;
      if (isProven === undefined) return;
      at.name = name;
      at.inode = inode;
      if (!isProven(node, at)) unproven.push([name, node]);
    });
    succeeded(result, path, "getdents64");
    const areAll = common >= this.#countThere(directory);
    const remaining = isProven !== undefined && areAll ? unproven : directory.children();
    return { surplus, areSame: !isMore && areAll, remaining };
  }

  /** How many names the directory has to have. */
  #countThere(directory: TreeDirectory): number {
    if (this.#mayLack === undefined) return directory.size;
    let count = 0;
    for (const [, node] of directory.children()) if (!this.#mayLack(node)) count += 1;
    return count;
  }
}
