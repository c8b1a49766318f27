import type { WhiteoutBackEnd } from "../layer/back-end.ts";
import { whiteoutPrefix } from "../layer/name-meaning.ts";
import { failure } from "../layer/refusal.ts";
import { readEntries, rewindEntries } from "../linux/directory-entries.ts";
import { errnos } from "../linux/errno.ts";
import { statAt } from "../linux/stat.ts";
import { unlinkAt } from "../linux/syscalls.ts";
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

  /** Names that begin as whiteouts do are the program's own: no layer can have made them. */
  *filesIn(directory: DiskDirectory, path: ByteString): Iterable<ByteString> {
    const handle = this.#context.tree.handles.opened(directory);
    rewindEntries(handle);
    for (;;) {
      const entries = readEntries(handle);
      if (typeof entries === "number") throw failure("apply", path, "getdents64", entries);
      if (entries.length === 0) return;
      for (const { name } of entries)
        if (directory.child(name) === undefined && !name.startsWith(whiteoutPrefix)) yield name;
    }
  }

  /** What lower layers left is in the directory itself. */
  cutOff(): void {}
}
