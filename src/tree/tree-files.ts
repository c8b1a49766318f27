import type { FileBackEnd } from "../layer/back-end.ts";
import type { EntryDestination } from "../layer/directory.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import type { InMemory } from "./tree-file.ts";
import { TreeFile } from "./tree-file.ts";
import type { TreeNodes } from "./tree-nodes.ts";

/** Keeps the data of a file that the tree takes in, or leaves them where they are, and says where that is. */
export type KeepContent = (entry: Entry, body: ByteSource) => number;

/** Puts into a tree what entries describe, except directories and hard links. */
export class TreeFiles implements FileBackEnd<InMemory> {
  readonly #nodes: TreeNodes;
  readonly #keep: KeepContent;

  constructor(nodes: TreeNodes, keep: KeepContent) {
    this.#nodes = nodes;
    this.#keep = keep;
  }

  file(destination: EntryDestination<InMemory>, entry: Entry, body: ByteSource): void {
    this.#put("file", destination, entry, entry.sizeBytes > 0 ? this.#keep(entry, body) : 0);
  }

  symlink(destination: EntryDestination<InMemory>, entry: Entry): void {
    this.#put("symlink", destination, entry);
  }

  fifo(destination: EntryDestination<InMemory>, entry: Entry): void {
    this.#put("fifo", destination, entry);
  }

  device(destination: EntryDestination<InMemory>, entry: Entry): void {
    this.#put(entry.type === "block-device" ? "block-device" : "character-device", destination, entry);
  }

  #put(type: TreeFile["type"], destination: EntryDestination<InMemory>, entry: Entry, content = 0): void {
    const { layer } = this.#nodes;
    const xattrs = this.#nodes.keptXattrs(entry);
    this.#nodes.putNew(destination, new TreeFile(type, entry, { layer, xattrs, content }));
  }
}
