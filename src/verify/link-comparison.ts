import type { Stat } from "../linux/stat.ts";
import type { TreeFile } from "../tree/tree-file.ts";

/**
 * Compares which names are the same file. A file may have further names outside of the tree, but not one that is
 * another file in the tree.
 */
export class LinkComparison {
  readonly #identities = new Map<TreeFile, string>();
  readonly #files = new Map<string, TreeFile>();

  /**
   * Whether the file at a name is the same file as at those names before it where the tree says so, and at no others.
   */
  areRight(file: TreeFile, { identity, nameCount }: Stat): boolean {
    if (!file.isLinked && nameCount === 1) return true;
    const known = this.#identities.get(file) ?? identity;
    const same = this.#files.get(identity) ?? file;
    this.#identities.set(file, known);
    this.#files.set(identity, same);
    return known === identity && same === file;
  }
}
