import { Directory } from "../layer/directory.ts";
import type { WhiteoutBackEnd } from "../layer/whiteouts.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { bytesOfXattrs } from "./in-memory.ts";
import type { Merging } from "./merging.ts";
import type { Places } from "./places.ts";
import type { InMemory, TreeDirectory } from "./tree-file.ts";

/** The whiteouts of one layer in memory. What is below layers of which nothing is known is known to be hidden, too. */
export class TreeWhiteouts implements WhiteoutBackEnd<InMemory> {
  readonly #merging: Merging;
  readonly #places: Places;

  constructor(merging: Merging, places: Places) {
    this.#merging = merging;
    this.#places = places;
  }

  isFileAt(parent: TreeDirectory, name: ByteString): boolean {
    return parent.knownChild(name) !== undefined || parent.isUnknown(name);
  }

  isOwnFile(parent: TreeDirectory, name: ByteString): boolean {
    return parent.knownChild(name)?.layer === this.#places.layer;
  }

  removeFile(parent: TreeDirectory, name: ByteString): void {
    this.#places.remove(parent, name);
  }

  directoriesIn(directory: TreeDirectory): Iterable<TreeDirectory> {
    return directory.directories();
  }

  *filesIn(directory: TreeDirectory): Iterable<ByteString> {
    for (const [name, child] of directory.knownChildren()) if (!(child instanceof Directory)) yield name;
  }

  establish(): void {}

  cutOff(directory: TreeDirectory): void {
    directory.close();
  }

  isRemovedIfEmpty({ parent, name, isEmpty }: TreeDirectory): boolean {
    if (parent === undefined || !isEmpty) return false;
    this.#places.remove(parent, name);
    return true;
  }

  reset(directory: TreeDirectory): void {
    const { implied, memory } = this.#merging;
    memory.release(bytesOfXattrs(directory.attributes));
    directory.attributes = implied;
    directory.origin = this.#places.layer;
  }
}
