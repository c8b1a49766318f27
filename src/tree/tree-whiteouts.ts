import type { WhiteoutBackEnd } from "../layer/back-end.ts";
import { Directory } from "../layer/directory.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { InMemory, TreeDirectory } from "./tree-file.ts";
import type { TreeNodes } from "./tree-nodes.ts";

/** The whiteouts of one layer in memory. What is below layers of which nothing is known is known to be hidden, too. */
export class TreeWhiteouts implements WhiteoutBackEnd<InMemory> {
  readonly #nodes: TreeNodes;

  constructor(nodes: TreeNodes) {
    this.#nodes = nodes;
  }

  isFileAt(parent: TreeDirectory, name: ByteString): boolean {
    return parent.knownChild(name) !== undefined || parent.isUnknown(name);
  }

  isOwnFile(parent: TreeDirectory, name: ByteString): boolean {
    return parent.knownChild(name)?.layer === this.#nodes.layer;
  }

  removeFile(parent: TreeDirectory, name: ByteString): void {
    this.#nodes.removeAt(parent, name);
  }

  *filesIn(directory: TreeDirectory): Iterable<ByteString> {
    for (const [name, child] of directory.knownChildren()) if (!(child instanceof Directory)) yield name;
  }

  cutOff(directory: TreeDirectory): void {
    directory.close();
  }
}
