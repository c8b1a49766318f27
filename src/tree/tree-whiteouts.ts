import { Directory } from "../layer/directory.ts";
import type { WhiteoutBackEnd } from "../layer/whiteouts.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { TreeContext } from "./context.ts";
import { bytesOfXattrs } from "./memory-sizes.ts";
import type { InMemory, TreeDirectory } from "./tree-file.ts";
import type { TreeNodes } from "./tree-nodes.ts";

/** The whiteouts of one layer in memory. What is below layers of which nothing is known is known to be hidden, too. */
export class TreeWhiteouts implements WhiteoutBackEnd<InMemory> {
  readonly #context: TreeContext;
  readonly #nodes: TreeNodes;

  constructor(context: TreeContext, nodes: TreeNodes) {
    this.#context = context;
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
    this.#nodes.removeAt(parent, name);
    return true;
  }

  reset(directory: TreeDirectory): void {
    const { implied, memory } = this.#context;
    memory.release(bytesOfXattrs(directory.attributes));
    directory.attributes = implied;
  }
}
