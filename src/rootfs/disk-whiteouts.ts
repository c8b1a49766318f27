import { failure } from "../layer/refusal.ts";
import type { WhiteoutBackEnd } from "../layer/whiteouts.ts";
import { readEntries, rewindEntries } from "../linux/directory-entries.ts";
import { errnos } from "../linux/errno.ts";
import { statAt } from "../linux/stat.ts";
import { removeDirectoryAt, unlinkAt } from "../linux/syscalls.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { RootfsContext } from "./context.ts";
import type { DiskDirectory, OnDisk } from "./disk-directory.ts";
import type { NodeMaker } from "./node-maker.ts";

/** The whiteouts of one layer on a disk: what they hide is removed. */
export class DiskWhiteouts implements WhiteoutBackEnd<OnDisk> {
  readonly #context: RootfsContext;
  readonly #nodes: NodeMaker;

  constructor(context: RootfsContext, nodes: NodeMaker) {
    this.#context = context;
    this.#nodes = nodes;
  }

  isFileAt(parent: DiskDirectory, name: ByteString): boolean {
    return typeof statAt(this.#context.tree.handles.of(parent), name) !== "number";
  }

  isOwnFile(parent: DiskDirectory, name: ByteString): boolean {
    return this.#nodes.made.has(parent, name);
  }

  removeFile(parent: DiskDirectory, name: ByteString, path: ByteString): void {
    const result = unlinkAt(this.#context.tree.handles.of(parent), name);
    if (result < 0 && result !== -errnos.ENOENT) throw failure("apply", path, "unlinkat", result);
    this.#context.parents.linkMayBeGone();
  }

  directoriesIn(directory: DiskDirectory): Iterable<DiskDirectory> {
    return directory.directories();
  }

  *filesIn(directory: DiskDirectory, path: ByteString): Iterable<ByteString> {
    const handle = this.#context.tree.handles.opened(directory);
    rewindEntries(handle);
    for (;;) {
      const entries = readEntries(handle);
      if (typeof entries === "number") throw failure("apply", path, "getdents64", entries);
      if (entries.length === 0) return;
      for (const { name } of entries) if (directory.child(name) === undefined && !isOurs(name)) yield name;
    }
  }

  /** All directories were made here. */
  establish(): void {}

  /** What lower layers left is in the directory itself. */
  cutOff(): void {}

  isRemovedIfEmpty(directory: DiskDirectory, path: ByteString): boolean {
    const { parents, tree } = this.#context;
    const { parent, name } = directory;
    if (parent === undefined) return false;
    const result = removeDirectoryAt(tree.handles.of(parent), name);
    if (result === -errnos.ENOTEMPTY) return false;
    if (result < 0) throw failure("apply", path, "unlinkat(AT_REMOVEDIR)", result);
    tree.forget(directory);
    parents.directoryIsGone();
    return true;
  }

  reset(directory: DiskDirectory): void {
    this.#context.directoryAttributes.reset(directory);
  }
}

/** Names that no layer can have made, because in a layer they would mean something else. */
function isOurs(name: ByteString): boolean {
  return name.startsWith(".wh.");
}
