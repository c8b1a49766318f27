import type { Stat } from "../linux/stat.ts";
import type { TreeFile } from "../tree/tree-file.ts";

/** Judges which names are the same file. A file may have further names elsewhere, but none for another file of the tree. */
export class Links {
  readonly #identities = new Map<TreeFile, string>();
  readonly #files = new Map<string, TreeFile>();

  /** Whether what stands at a name is the same on the disk as at the names before it. */
  areRight(file: TreeFile, { identity, nameCount }: Stat): boolean {
    if (!file.isLinked && nameCount === 1) return true;
    const known = this.#identities.get(file) ?? identity;
    const same = this.#files.get(identity) ?? file;
    this.#identities.set(file, known);
    this.#files.set(identity, same);
    return known === identity && same === file;
  }
}
