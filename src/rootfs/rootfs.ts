import type { Memory } from "../base/memory-budget.ts";
import type { FileBackEnd, WhiteoutBackEnd } from "../layer/back-end.ts";
import type { FindingsReporter } from "../layer/findings.ts";
import { LayerEntries } from "../layer/layer-entries.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { whiteoutPrefix } from "../layer/whiteouts.ts";
import { readEntries, rewindEntries } from "../linux/directory-entries.ts";
import { errnos } from "../linux/errno.ts";
import { statAt } from "../linux/stat.ts";
import { unlinkAt } from "../linux/syscalls.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { newContext, type RootfsContext, sharedByLayers } from "./context.ts";
import type { DiskDirectory, OnDisk } from "./disk-directory.ts";
import { DiskHardlinks } from "./disk-hardlinks.ts";
import { failure } from "./failure.ts";
import { FileMaker } from "./file-maker.ts";
import type { HandedFiles } from "./handed-files.ts";
import { NodeMaker } from "./node-maker.ts";

/** What becomes of what the whiteouts of one layer hide, and who makes its files. */
export interface RootfsVariation {
  /** Default: what whiteouts hide is removed. */
  readonly whiteoutsOf?: (context: RootfsContext, nodes: NodeMaker) => WhiteoutBackEnd<OnDisk>;
  /** Default: all that is no directory and no hard link is made of its entry. */
  readonly filesOf?: (files: FileMaker, nodes: NodeMaker) => FileBackEnd<OnDisk>;
}

/**
 * A root filesystem that layers are applied to, from the bottom up.
 *
 *     const rootfs = openRootfs(directory, settings, reporter);
 *     for (const layer of layers.keys()) {
 *       const applier = rootfs.beginLayer(layer);
 *       … applier.apply(entry, body) …
 *       applier.end();
 *     }
 *     rootfs.finish();
 *     rootfs.close();
 *
 * Everything is synchronous, so that it can run on a confined thread. After an error only `close` is of use.
 */
export class Rootfs {
  readonly #context: RootfsContext;
  readonly #variation: Required<RootfsVariation>;

  constructor(context: RootfsContext, variation: RootfsVariation = {}) {
    this.#context = context;
    const { whiteoutsOf = (own, nodes) => new DiskWhiteouts(own, nodes), filesOf = (files) => files } = variation;
    this.#variation = { whiteoutsOf, filesOf };
  }

  /** Begins a layer, counted from 0; the one before it must have ended. */
  beginLayer(layer: number): LayerEntries<OnDisk> {
    const nodes = new NodeMaker(this.#context, layer);
    const files = new FileMaker(this.#context, nodes);
    return new LayerEntries(this.#context, layer, {
      directories: nodes,
      files: this.#variation.filesOf(files, nodes),
      hardlinks: new DiskHardlinks(this.#context, nodes, files),
      whiteouts: this.#variation.whiteoutsOf(this.#context, nodes),
      end: () => {
        this.#context.handed?.settle();
        nodes.made.clear();
      },
    });
  }

  /** Gives all directories, the root last, the attributes that they are to have. Nothing can be applied afterwards. */
  finish(): void {
    this.#context.directoryAttributes.finish(this.#context.tree.root);
  }

  /** Closes every handle but the one that `openRootfs` was given. */
  close(): void {
    this.#context.tree.handles.close();
  }
}

/** What a root filesystem may get from whoever opens it. */
export interface RootfsParts {
  /** Where what is remembered is counted. Default: in a budget of its own. */
  readonly memory?: Memory;
  /** Who makes files, besides the calling thread. Default: nobody. */
  readonly handed?: HandedFiles | undefined;
}

/**
 * Makes an empty directory, of which nobody else knows yet, the root of a filesystem. `directory` is an open handle of
 * it; no other way leads there, and none leads out.
 */
export function openRootfs(
  directory: number,
  settings: RootfsSettings,
  reporter: FindingsReporter,
  { memory, handed }: RootfsParts = {},
): Rootfs {
  return new Rootfs(
    newContext(directory, settings, reporter, { shared: sharedByLayers(settings.limits, memory), handed }),
  );
}

/** The whiteouts of one layer on a disk: what they hide is removed. */
class DiskWhiteouts implements WhiteoutBackEnd<OnDisk> {
  readonly #context: RootfsContext;
  readonly #nodes: NodeMaker;

  constructor(context: RootfsContext, nodes: NodeMaker) {
    this.#context = context;
    this.#nodes = nodes;
  }

  isFileAt(parent: DiskDirectory, name: ByteString): boolean {
    this.#context.handed?.settleAt(parent, name);
    return typeof statAt(this.#context.tree.handles.of(parent), name) !== "number";
  }

  isOwnFile(parent: DiskDirectory, name: ByteString): boolean {
    return this.#nodes.made.has(parent, name);
  }

  removeFile(parent: DiskDirectory, name: ByteString, path: ByteString): void {
    this.#context.handed?.settleAt(parent, name);
    const result = unlinkAt(this.#context.tree.handles.of(parent), name);
    if (result < 0 && result !== -errnos.ENOENT) throw failure("apply", path, "unlinkat", result);
    this.#context.parents.linkMayBeGone();
  }

  /** Names that begin as whiteouts do are the program's own: no layer can have made them. */
  *filesIn(directory: DiskDirectory, path: ByteString): Iterable<ByteString> {
    this.#context.handed?.settle();
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
