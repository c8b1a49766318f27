import type { WhiteoutBackEnd } from "../layer/back-end.ts";
import { statAt } from "../linux/stat.ts";
import type { RootfsContext } from "../rootfs/context.ts";
import type { DiskDirectory, OnDisk } from "../rootfs/disk-directory.ts";
import type { ByteString } from "../tar/byte-string.ts";

/**
 * The whiteouts of an overlay's layer: what they hide lies in other directories, and is left alone there. It is noted
 * in the tree, and what has to be marked on disk is marked when the layer is complete.
 */
export class OverlayWhiteouts implements WhiteoutBackEnd<OnDisk> {
  readonly #context: RootfsContext;

  constructor(context: RootfsContext) {
    this.#context = context;
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

  /** None: a directory is cut off from the layers below as a whole. */
  filesIn(): Iterable<ByteString> {
    return [];
  }

  /** The root of a layer cannot hide as a whole: an overlay never asks whether it does. */
  cutOff(directory: DiskDirectory): void {
    const { parents, tree } = this.#context;
    if (directory.parent !== undefined) tree.cutOff(directory);
    else for (const name of directory.own.lower?.names() ?? []) tree.hide(directory, name);
    parents.linkMayBeGone();
  }
}
