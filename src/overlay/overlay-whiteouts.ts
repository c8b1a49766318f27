import type { WhiteoutBackEnd } from "../layer/back-end.ts";
import { pathIn } from "../layer/paths.ts";
import { statAt } from "../linux/stat.ts";
import type { RootfsContext } from "../rootfs/context.ts";
import type { DiskDirectory, OnDisk } from "../rootfs/disk-directory.ts";
import type { NodeMaker } from "../rootfs/node-maker.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import type { OverlayFormat } from "./overlay-format.ts";

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

/**
 * Marks in a layer that is complete what it hides of those below: names, by whiteouts; directories that were begun
 * anew, by being opaque. What nobody would see anyway is not marked.
 */
export function mark(context: RootfsContext, nodes: NodeMaker, format: OverlayFormat): void {
  const pending: Marking[] = [{ directory: context.tree.root, path: byteStringOf("") }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { directory, path } = next;
    for (const child of directory.directories()) pending.push({ directory: child, path: pathIn(path, child.name) });
    for (const name of directory.own.hidden ?? []) markHidden(context, nodes, format, next, name);
    if (isAnew(directory)) format.makeOpaque(context.tree.handles.opened(directory), path);
  }
}

interface Marking {
  readonly directory: DiskDirectory;
  /** For messages. */
  readonly path: ByteString;
}

function markHidden(
  context: RootfsContext,
  nodes: NodeMaker,
  format: OverlayFormat,
  { directory, path }: Marking,
  name: ByteString,
): void {
  const { handles } = context.tree;
  if (directory.own.isMade && typeof statAt(handles.of(directory), name) !== "number") return;
  if (directory.own.lower?.find(name) === undefined) return;
  nodes.establish(directory);
  format.makeWhiteout(handles.of(directory), name, path);
}

/** Whether a directory has nothing to do with the one that layers below have at its name. */
function isAnew({ own, parent, name }: DiskDirectory): boolean {
  return own.isMade && own.lower === undefined && parent?.own.lower?.find(name)?.directory !== undefined;
}
