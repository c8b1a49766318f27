import type { FileBackEnd, HardlinkBackEnd, LinkHeader, WhiteoutBackEnd } from "../layer/back-end.ts";
import { FollowedLinks } from "../layer/counted-limits.ts";
import { Directory, type EntryDestination } from "../layer/directory.ts";
import type { LayerTree, Obstacle } from "../layer/walk.ts";
import { pseudoLinkDirectory } from "../layer/whiteouts.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import { fileOf, type InMemory, type TreeDirectory, TreeFile } from "./tree-file.ts";
import type { TreeContext, TreeNodes } from "./tree-nodes.ts";

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

const otherFile: Obstacle = {};

/**
 * Where paths lead in a tree in memory. Answers that depend on layers of which nothing is known throw `Undetermined`.
 */
export class TreeLookup implements LayerTree<TreeDirectory> {
  readonly root: TreeDirectory;
  readonly followed = new FollowedLinks();

  constructor(root: TreeDirectory) {
    this.root = root;
  }

  directoryAt(parent: TreeDirectory, name: ByteString): TreeDirectory | undefined {
    const child = parent.child(name);
    return child instanceof Directory ? child : undefined;
  }

  knownDirectoryAt(parent: TreeDirectory, name: ByteString): TreeDirectory | undefined {
    const child = parent.knownChild(name);
    return child instanceof Directory ? child : undefined;
  }

  obstacleAt(parent: TreeDirectory, name: ByteString): Obstacle | undefined {
    const child = parent.child(name);
    if (child === undefined || child instanceof Directory) return undefined;
    const { type, linkPath } = fileOf(child);
    return type === "symlink" ? { linkPath } : otherFile;
  }
}
