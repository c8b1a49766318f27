import type { DirectoryBackEnd, LayerContext } from "../layer/back-end.ts";
import { type Attributes, Directory, type EntryDestination } from "../layer/directory.ts";
import type { Parents } from "../layer/parents.ts";
import { pathIn } from "../layer/paths.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import type { XattrRules } from "../layer/xattr-rules.ts";
import { type ByteString, ownCopy } from "../tar/byte-string.ts";
import type { Entry } from "../tar/entry.ts";
import {
  bytesOfFreeName,
  bytesOfNode,
  bytesOfXattrs,
  bytesReleasedBy,
  FurtherName,
  type InMemory,
  type TreeDirectory,
  type TreeFile,
  type TreeNode,
} from "./tree-file.ts";

/** How entries become a tree: as they become files, but for what depends on who unpacks. */
export type TreeSettings = Pick<
  RootfsSettings,
  | "devices"
  | "keepDirlinks"
  | "sourceDateEpoch"
  | "strict"
  | "limits"
  | "hasWhiteouts"
  | "xattrInclude"
  | "xattrExclude"
>;

/** A tree while layers are merged into it: what all layers work on, and work with. */
export interface TreeContext extends LayerContext<InMemory> {
  readonly xattrs: XattrRules;
  readonly parents: Parents<InMemory>;
}

/** Is told of each change of a tree before it is made. Paths are from the root. */
export interface TreeObserver {
  /** What stands at a path, if anything does, gives way to something else, or to nothing, with all that is below it. */
  replacing(path: ByteString, node: TreeNode | undefined): void;
  /** A directory gets other attributes. */
  describing(path: ByteString, directory: TreeDirectory): void;
  /** A file gets a further name. */
  linking(file: TreeFile): void;
}

/** Puts things into a tree, in the stead of whatever is there, for one layer. */
export class TreeNodes implements DirectoryBackEnd<InMemory> {
  readonly layer: number;
  readonly #context: TreeContext;
  readonly #observer: TreeObserver | undefined;

  constructor(context: TreeContext, layer: number, observer?: TreeObserver) {
    this.#context = context;
    this.layer = layer;
    this.#observer = observer;
  }

  /** Puts a new file there. */
  putNew(destination: EntryDestination<InMemory>, file: TreeFile): void {
    this.#clear(destination);
    this.#set(destination.parent, ownCopy(destination.name), file);
  }

  /** Gives a file that is there a further name. */
  put(destination: EntryDestination<InMemory>, file: TreeFile): void {
    this.#clear(destination);
    this.#observer?.linking(file);
    file.isLinked = true;
    this.#set(destination.parent, ownCopy(destination.name), new FurtherName(file, this.layer));
  }

  makeDirectory(destination: EntryDestination<InMemory>): TreeDirectory {
    const { parent, name } = destination;
    // Where lower layers may have a directory, theirs and this one are the same.
    const isOpen = parent.isUnknown(name);
    this.#clear(destination);
    const directory = new Directory<InMemory>(
      { parent, name: ownCopy(name) },
      { layer: this.layer, attributes: this.#context.implied, own: undefined, isOpen },
    );
    this.#set(parent, directory.name, directory);
    return directory;
  }

  remove({ parent, name }: EntryDestination<InMemory>): void {
    this.removeAt(parent, name);
  }

  removeIfEmpty({ parent, name, isEmpty }: TreeDirectory): boolean {
    if (parent === undefined || !isEmpty) return false;
    this.removeAt(parent, name);
    return true;
  }

  /** All that a layer needs is in the tree already. */
  establish(): void {}

  describe(directory: TreeDirectory, entry: Entry): void {
    const { mode, uid, gid, mtime, atime } = entry;
    const { memory } = this.#context;
    this.#observer?.describing(directory.path, directory);
    const attributes = { mode: mode & 0o7777, uid, gid, mtime, atime, xattrs: this.keptXattrs(entry) };
    memory.release(bytesOfXattrs(directory.attributes));
    memory.spend(bytesOfXattrs(attributes), "attributes of directories");
    directory.attributes = attributes;
  }

  reset(directory: TreeDirectory): void {
    const { implied, memory } = this.#context;
    this.#observer?.describing(directory.path, directory);
    memory.release(bytesOfXattrs(directory.attributes));
    directory.attributes = implied;
  }

  /** An entry's extended attributes, without those that are left out. */
  keptXattrs({ path, xattrs }: Entry): Attributes["xattrs"] {
    if (xattrs === undefined) return undefined;
    const kept = new Map([...xattrs].filter(([name]) => this.#context.xattrs.isKept(path, name)));
    return kept.size === 0 ? undefined : kept;
  }

  /** Removes what is known to stand at a name, and all below it. */
  removeAt(parent: TreeDirectory, name: ByteString): void {
    const child = parent.knownChild(name);
    this.#observer?.replacing(pathIn(parent.path, name), child);
    this.#release(name, child);
    if (parent.isOpen) this.#context.memory.spend(bytesOfFreeName(name), "names that are free");
    parent.delete(ownCopy(name));
  }

  /** Marks a directory, and all below it, as gone. */
  forget(directory: TreeDirectory): void {
    const removed = [directory];
    for (let each = removed.pop(); each !== undefined; each = removed.pop()) {
      for (const [name, child] of each.knownChildren()) {
        this.#context.memory.release(bytesReleasedBy(name, child));
        if (child instanceof Directory) removed.push(child);
      }
      each.beRemoved();
    }
  }

  #clear({ parent, name, path }: EntryDestination<InMemory>): void {
    const child = parent.knownChild(name);
    if (child?.layer === this.layer) this.#context.findings.namedTwice(path);
    this.#observer?.replacing(pathIn(parent.path, name), child);
    this.#release(name, child);
  }

  #set(parent: TreeDirectory, name: ByteString, node: TreeNode): void {
    this.#context.memory.spend(bytesOfNode(name, node), "files");
    parent.set(name, node);
  }

  #release(name: ByteString, child: TreeNode | undefined): void {
    if (child === undefined) return;
    const { memory, parents } = this.#context;
    memory.release(bytesReleasedBy(name, child));
    if (child instanceof Directory) {
      parents.directoryIsGone();
      this.forget(child);
    } else parents.linkMayBeGone();
  }
}
