import type { HardlinkBackEnd, LinkHeader } from "../layer/back-end.ts";
import { Directory } from "../layer/directory.ts";
import { pseudoLinkDirectory } from "../layer/name-meaning.ts";
import { failure } from "../layer/refusal.ts";
import { errnos } from "../linux/errno.ts";
import { makeDirectoryAt, makeLinkAt, renameAt } from "../linux/syscalls.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import type { RootfsContext } from "./context.ts";
import { type DiskDestination, type DiskDirectory, DiskState, type FoundFile, type OnDisk } from "./disk-directory.ts";
import type { FileMaker } from "./file-maker.ts";
import { copyTo } from "./hardlink-copy.ts";
import type { NodeMaker } from "./node-maker.ts";
import { removeTree } from "./remove-tree.ts";

/**
 * What stops link(2) for reasons that a copy does not share: other file systems, too many links, protected_hardlinks.
 */
const copyable = [errnos.EXDEV, errnos.EMLINK, errnos.EPERM, errnos.ENOTSUP, errnos.ENOSYS];

const temporaryName = byteStringOf(".wh..wh.link");

/** The hard links of one layer, on a disk. */
export class DiskHardlinks implements HardlinkBackEnd<OnDisk> {
  readonly #context: RootfsContext;
  readonly #nodes: NodeMaker;
  readonly #files: FileMaker;

  constructor(context: RootfsContext, nodes: NodeMaker, files: FileMaker) {
    this.#context = context;
    this.#nodes = nodes;
    this.#files = files;
  }

  fileAt(directory: DiskDirectory, name: ByteString, { parent, path }: DiskDestination): FoundFile | undefined {
    // Now, because a handle that was asked for stays open only while few others are.
    this.#nodes.establish(parent);
    return this.#context.tree.fileAt(directory, name, path);
  }

  isAsStated({ stat }: FoundFile, stated: LinkHeader): boolean {
    return stat.mode === (stated.mode & 0o7777) && this.#context.owners.isGiven(stated, stat);
  }

  link(destination: DiskDestination, original: FoundFile): void {
    // The target may lie in the directory that it is to replace.
    if (destination.parent.child(destination.name) === undefined) return this.#makeAt(destination, original);
    const { handles } = this.#context.tree;
    this.#makeAt({ ...destination, name: temporaryName }, original);
    this.#nodes.remove(destination);
    const handle = handles.of(destination.parent);
    const result = renameAt(handle, temporaryName, handle, destination.name);
    if (result < 0) throw failure("create", destination.path, "renameat", result);
    this.#nodes.made.delete(destination.parent, temporaryName);
    this.#nodes.made.add(destination.parent, destination.name);
  }

  claim(destination: DiskDestination, original: FoundFile): void {
    if (original.isBelow) copyTo(destination, original, this.#context, this.#files);
    else this.#nodes.made.add(destination.parent, destination.name);
  }

  /** No entry can have its name, so that it can be in the root itself. */
  makePseudoLinks(): DiskDirectory {
    const { implied, tree } = this.#context;
    const result = makeDirectoryAt(tree.handles.of(tree.root), pseudoLinkDirectory, 0o700);
    if (result < 0) throw failure("create", pseudoLinkDirectory, "mkdirat", result);
    const position = { parent: tree.root, name: pseudoLinkDirectory };
    return new Directory<OnDisk>(position, { layer: 0, attributes: implied, own: new DiskState(0o700) });
  }

  removePseudoLinks(directory: DiskDirectory): void {
    const { handles, root } = this.#context.tree;
    handles.release(directory);
    removeTree(handles.of(root), pseudoLinkDirectory);
  }

  #makeAt(destination: DiskDestination, original: FoundFile): void {
    // A layer of an overlay stands by itself: what it shares with another would be lost with that one.
    if (original.isBelow) return copyTo(destination, original, this.#context, this.#files);
    let obstacle = 0;
    this.#nodes.make(destination, "linkat", (handle, newName) => {
      const result = makeLinkAt(original.handle, original.name, handle, newName);
      obstacle = copyable.includes(-result) ? -result : 0;
      return obstacle === 0 ? result : 0;
    });
    if (obstacle !== 0) copyTo(destination, original, this.#context, this.#files);
  }
}
