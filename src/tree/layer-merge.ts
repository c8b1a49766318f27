import { Directory } from "../layer/directory.ts";
import { LayerEntries } from "../layer/layer-entries.ts";
import { pseudoLinkDirectory } from "../layer/name-meaning.ts";
import type { Place } from "../layer/place.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { Entry } from "../tar/entry.ts";
import { Files, type Store } from "./files.ts";
import { TreeHardlinks } from "./hardlinks.ts";
import { bytesOfXattrs } from "./in-memory.ts";
import type { Merging } from "./merging.ts";
import { Places } from "./places.ts";
import type { InMemory, TreeDirectory } from "./tree-file.ts";
import { TreeWhiteouts } from "./tree-whiteouts.ts";

/** Merges the entries of one layer into a tree. */
export class LayerMerge extends LayerEntries<InMemory> {
  readonly #merging: Merging;
  readonly #layer: number;
  readonly #places: Places;
  readonly #pseudoLinks: TreeDirectory;

  /** `layer` counts from the bottom, from 0. */
  constructor(merging: Merging, layer: number, store: Store) {
    const places = new Places(merging, layer);
    const files = new Files(merging, places, store);
    const pseudoLinks = new Directory<InMemory>(
      { parent: merging.tree.root, name: pseudoLinkDirectory },
      { layer, attributes: merging.implied, own: undefined },
    );
    const hardlinks = new TreeHardlinks(merging, places, pseudoLinks);
    super(merging, layer, { files, hardlinks, whiteouts: new TreeWhiteouts(merging, places) });
    this.#merging = merging;
    this.#layer = layer;
    this.#places = places;
    this.#pseudoLinks = pseudoLinks;
  }

  override end(): void {
    super.end();
    this.#places.forget(this.#pseudoLinks);
  }

  protected override placeFor(parents: readonly ByteString[], name: ByteString, path: ByteString): Place<InMemory> {
    return { parent: this.#places.wayTo(parents, path), name, path };
  }

  protected override wayTo(names: readonly ByteString[], path: ByteString): TreeDirectory {
    return this.#places.wayTo(names, path);
  }

  protected override pseudoLinks(): TreeDirectory {
    return this.#pseudoLinks;
  }

  protected override makeDirectory(place: Place<InMemory>): TreeDirectory {
    return this.#places.makeDirectory(place);
  }

  protected override claimLink({ parent, name }: Place<InMemory>): void {
    const link = parent.knownChild(name);
    if (link !== undefined) link.layer = this.#layer;
  }

  protected override setAttributes(directory: TreeDirectory, entry: Entry): void {
    const { mode, uid, gid, mtime, atime } = entry;
    const { memory, xattrs } = this.#merging;
    const attributes = { mode: mode & 0o7777, uid, gid, mtime, atime, xattrs: xattrs.kept(entry) };
    memory.release(bytesOfXattrs(directory.attributes));
    memory.spend(bytesOfXattrs(attributes), "attributes of directories");
    directory.origin = this.#layer;
    directory.attributes = attributes;
  }
}
