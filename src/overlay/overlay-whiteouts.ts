import { failure } from "../layer/refusal.ts";
import type { WhiteoutBackEnd } from "../layer/whiteouts.ts";
import { errnos } from "../linux/errno.ts";
import { statAt } from "../linux/stat.ts";
import { removeDirectoryAt } from "../linux/syscalls.ts";
import type { RootfsContext } from "../rootfs/context.ts";
import type { DiskDirectory, OnDisk } from "../rootfs/disk-directory.ts";
import type { NodeMaker } from "../rootfs/node-maker.ts";
import type { ByteString } from "../tar/byte-string.ts";

/**
 * The whiteouts of an overlay's layer: what they hide lies in other directories, and is left alone there. It is noted in
 * the tree, and what has to be marked on disk is marked when the layer is complete.
 */
export class OverlayWhiteouts implements WhiteoutBackEnd<OnDisk> {
  readonly #context: RootfsContext;
  readonly #nodes: NodeMaker;

  constructor(context: RootfsContext, nodes: NodeMaker) {
    this.#context = context;
    this.#nodes = nodes;
  }

  isFileAt(parent: DiskDirectory, name: ByteString): boolean {
    return this.isOwnFile(parent, name) || this.#context.tree.below(parent, name) !== undefined;
  }

  /** The directory on disk is the layer's alone. */
  isOwnFile(parent: DiskDirectory, name: ByteString): boolean {
    return parent.own.isMade && typeof statAt(this.#context.tree.handles.of(parent), name) !== "number";
  }

  removeFile(parent: DiskDirectory, name: ByteString): void {
    const { parents, tree } = this.#context;
    tree.hide(parent, name);
    parents.linkMayBeGone();
  }

  directoriesIn(directory: DiskDirectory): Iterable<DiskDirectory> {
    return directory.directories();
  }

  /** None: a directory is cut off from the layers below as a whole. */
  filesIn(): Iterable<ByteString> {
    return [];
  }

  establish(directory: DiskDirectory): void {
    this.#nodes.establish(directory);
  }

  /** The root of a layer cannot hide as a whole: an overlay never asks whether it does. */
  cutOff(directory: DiskDirectory): void {
    const { parents, tree } = this.#context;
    if (directory.parent !== undefined) tree.cutOff(directory);
    else for (const name of directory.own.lower?.names() ?? []) tree.hide(directory, name);
    parents.linkMayBeGone();
  }

  isRemovedIfEmpty(directory: DiskDirectory, path: ByteString): boolean {
    const { parents, tree } = this.#context;
    const { parent, name, own } = directory;
    if (parent === undefined) return false;
    const result = own.isMade ? removeDirectoryAt(tree.handles.of(parent), name) : 0;
    if (result === -errnos.ENOTEMPTY) return false;
    if (result < 0) throw failure("apply", path, "unlinkat(AT_REMOVEDIR)", result);
    tree.forget(directory);
    tree.hide(parent, name);
    parents.directoryIsGone();
    return true;
  }

  reset(directory: DiskDirectory): void {
    this.#nodes.establish(directory);
    this.#context.directoryAttributes.reset(directory);
  }
}
