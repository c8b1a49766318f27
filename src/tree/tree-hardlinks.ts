import type { HardlinkBackEnd, LinkHeader } from "../layer/back-end.ts";
import { Directory, type EntryDestination } from "../layer/directory.ts";
import { pseudoLinkDirectory } from "../layer/name-meaning.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { TreeContext } from "./context.ts";
import { fileOf, type InMemory, type TreeDirectory, type TreeFile } from "./tree-file.ts";
import type { TreeNodes } from "./tree-nodes.ts";

/** The hard links of one layer, in memory. */
export class TreeHardlinks implements HardlinkBackEnd<InMemory> {
  readonly #context: TreeContext;
  readonly #nodes: TreeNodes;

  constructor(context: TreeContext, nodes: TreeNodes) {
    this.#context = context;
    this.#nodes = nodes;
  }

  fileAt(directory: TreeDirectory, name: ByteString): TreeFile | undefined {
    const child = directory.child(name);
    return child === undefined || child instanceof Directory ? undefined : fileOf(child);
  }

  isAsStated(file: TreeFile, { mode, uid, gid }: LinkHeader): boolean {
    return file.mode === (mode & 0o7777) && file.uid === uid && file.gid === gid;
  }

  link(destination: EntryDestination<InMemory>, file: TreeFile): void {
    // As on a disk, where the target may lie in the directory that the link replaces: that goes first, unnoticed.
    if (destination.parent.knownChild(destination.name) instanceof Directory) this.#nodes.remove(destination);
    this.#nodes.put(destination, file);
  }

  claim({ parent, name }: EntryDestination<InMemory>): void {
    const link = parent.knownChild(name);
    if (link !== undefined) link.layer = this.#nodes.layer;
  }

  makePseudoLinks(): TreeDirectory {
    const { implied, tree } = this.#context;
    const position = { parent: tree.root, name: pseudoLinkDirectory };
    return new Directory<InMemory>(position, { layer: this.#nodes.layer, attributes: implied, own: undefined });
  }

  removePseudoLinks(directory: TreeDirectory): void {
    this.#nodes.forget(directory);
  }
}
