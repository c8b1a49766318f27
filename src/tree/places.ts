import { Directory } from "../layer/directory.ts";
import type { Place } from "../layer/place.ts";
import { limitExceeded, quoted } from "../layer/refusal.ts";
import { walk } from "../layer/walk.ts";
import { type ByteString, ownCopy } from "../tar/byte-string.ts";
import { bytesOfFreeName, bytesOfNode, bytesReleasedBy } from "./in-memory.ts";
import type { Merging } from "./merging.ts";
import type { InMemory, TreeDirectory, TreeNode } from "./tree-file.ts";
import { FurtherName, type TreeFile } from "./tree-file.ts";

/** Puts things at the places of a tree, in the stead of whatever is there, for one layer. */
export class Places {
  readonly layer: number;
  readonly #merging: Merging;

  constructor(merging: Merging, layer: number) {
    this.#merging = merging;
    this.layer = layer;
  }

  /** Puts a new file there. */
  putNew(place: Place<InMemory>, file: TreeFile): void {
    this.#clear(place);
    this.#set(place.parent, ownCopy(place.name), file);
  }

  /** Gives a file that is there a further name. */
  put(place: Place<InMemory>, file: TreeFile): void {
    this.#clear(place);
    file.isLinked = true;
    this.#set(place.parent, ownCopy(place.name), new FurtherName(file, this.layer));
  }

  /** Makes a directory there, whose attributes are implied until an entry describes it. */
  makeDirectory(place: Place<InMemory>): TreeDirectory {
    const { parent, name, path } = place;
    const { implied, settings } = this.#merging;
    const { pathDepth } = settings.limits;
    if (parent.depth >= pathDepth) {
      throw limitExceeded(path, `a directory below ${parent.depth} others`, "pathDepth", pathDepth);
    }
    // Where lower layers may have a directory, theirs and this one are the same.
    const isOpen = parent.isUnknown(name);
    this.#clear(place);
    const directory = new Directory<InMemory>(
      { parent, name: ownCopy(name) },
      { layer: this.layer, attributes: implied, own: undefined, isOpen },
    );
    this.#set(parent, directory.name, directory);
    return directory;
  }

  /** The directory that names lead to. What is missing on the way is made, also at the end of a symlink or where a file is. */
  wayTo(names: readonly ByteString[], path: ByteString): TreeDirectory {
    const { entries, findings, tree } = this.#merging;
    const { directory } = walk(tree, tree.root, names, path, (parent, name, isOccupied) => {
      // One long path makes thousands of them.
      entries.spend(1, path);
      if (isOccupied) {
        findings.repaired("PARENT_REPLACED", `${quoted(name)} was no directory and is replaced by one`, path);
        this.remove(parent, name);
      }
      return this.makeDirectory({ parent, name, path });
    });
    if (directory === undefined) throw new TypeError("a way that is made leads somewhere");
    return directory;
  }

  /** Removes what stands at a place, if anything does. Its directory is needed all the same: nothing else tells of the entry. */
  vacate({ parent, name }: Place<InMemory>): void {
    this.remove(parent, name);
    parent.neededIn = this.layer;
  }

  /** Removes what is known to stand at a name, and all below it. */
  remove(parent: TreeDirectory, name: ByteString): void {
    this.#release(name, parent.knownChild(name));
    if (parent.isOpen) this.#merging.memory.spend(bytesOfFreeName(name), "names that are free");
    parent.delete(ownCopy(name));
  }

  /** Marks a directory, and all below it, as gone. */
  forget(directory: TreeDirectory): void {
    const removed = [directory];
    for (let each = removed.pop(); each !== undefined; each = removed.pop()) {
      for (const [name, child] of each.knownChildren()) {
        this.#merging.memory.release(bytesReleasedBy(name, child));
        if (child instanceof Directory) removed.push(child);
      }
      each.beRemoved();
    }
  }

  #clear({ parent, name, path }: Place<InMemory>): void {
    const child = parent.knownChild(name);
    if (child?.layer === this.layer) {
      this.#merging.findings.repaired("DUPLICATE_ENTRY", "the layer names it twice; the later entry wins", path);
    }
    this.#release(name, child);
  }

  #set(parent: TreeDirectory, name: ByteString, node: TreeNode): void {
    this.#merging.memory.spend(bytesOfNode(name, node), "files");
    parent.set(name, node);
  }

  #release(name: ByteString, child: TreeNode | undefined): void {
    if (child === undefined) return;
    this.#merging.memory.release(bytesReleasedBy(name, child));
    if (child instanceof Directory) this.forget(child);
  }
}
