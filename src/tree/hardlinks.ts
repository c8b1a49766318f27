import { Directory } from "../layer/directory.ts";
import { Hardlinks, type Stated } from "../layer/hardlinks.ts";
import type { Place } from "../layer/place.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { Merging } from "./merging.ts";
import type { Places } from "./places.ts";
import type { InMemory, TreeDirectory } from "./tree-file.ts";
import { fileOf, type TreeFile } from "./tree-file.ts";

/** The hard links of one layer, in memory. */
export class TreeHardlinks extends Hardlinks<InMemory, TreeFile> {
  readonly #places: Places;
  readonly #pseudoLinks: TreeDirectory;

  /** `pseudoLinks` are targets of links, and no part of the tree (rules W20, H13). */
  constructor(merging: Merging, places: Places, pseudoLinks: TreeDirectory) {
    super(merging, places.layer);
    this.#places = places;
    this.#pseudoLinks = pseudoLinks;
  }

  protected override pseudoLinks(): TreeDirectory | undefined {
    return this.#pseudoLinks.isEmpty ? undefined : this.#pseudoLinks;
  }

  protected override fileAt(directory: TreeDirectory, name: ByteString): TreeFile | undefined {
    const child = directory.child(name);
    return child === undefined || child instanceof Directory ? undefined : fileOf(child);
  }

  protected override isAsStated(file: TreeFile, { mode, uid, gid }: Stated): boolean {
    return file.mode === (mode & 0o7777) && file.uid === uid && file.gid === gid;
  }

  protected override make(place: Place<InMemory>, file: TreeFile): void {
    // As on a disk, where the target may lie in the directory that the link replaces: that goes first, unnoticed.
    if (place.parent.knownChild(place.name) instanceof Directory) this.#places.vacate(place);
    this.#places.put(place, file);
  }

  protected override claim({ parent, name }: Place<InMemory>): void {
    const link = parent.knownChild(name);
    if (link !== undefined) link.layer = this.#places.layer;
  }
}
