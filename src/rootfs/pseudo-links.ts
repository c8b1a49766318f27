import { Directory } from "../layer/directory.ts";
import { pseudoLinkDirectory } from "../layer/name-meaning.ts";
import { failure } from "../layer/refusal.ts";
import { makeDirectoryAt } from "../linux/syscalls.ts";
import { type DiskDirectory, DiskState, type OnDisk } from "./directory.ts";
import { removeTree } from "./remove.ts";
import type { Site } from "./site.ts";

/**
 * AUFS's pseudo-links while their layer is applied: hard links may lead to them, but they are no part of the tree
 * (rules W20, H13). No entry can have their directory's name, so that they can wait in the root itself.
 */
export class PseudoLinks {
  readonly #site: Site;
  #directory: DiskDirectory | undefined;

  constructor(site: Site) {
    this.#site = site;
  }

  /** The directory that holds them; none if there are none. */
  get directory(): DiskDirectory | undefined {
    return this.#directory;
  }

  /** The directory to put one into. */
  open(): DiskDirectory {
    if (this.#directory !== undefined) return this.#directory;
    const { directories, tree } = this.#site;
    const result = makeDirectoryAt(tree.handles.of(tree.root), pseudoLinkDirectory, 0o700);
    if (result < 0) throw failure("create", pseudoLinkDirectory, "mkdirat", result);
    this.#directory = new Directory<OnDisk>(
      { parent: tree.root, name: pseudoLinkDirectory },
      { layer: 0, attributes: directories.implied, own: new DiskState(0o700) },
    );
    return this.#directory;
  }

  /** Removes them. The files stay where links to them were made. */
  end(): void {
    if (this.#directory === undefined) return;
    const { handles, root } = this.#site.tree;
    handles.release(this.#directory);
    removeTree(handles.of(root), pseudoLinkDirectory);
    this.#directory = undefined;
  }
}
