import { MemoryShare } from "../base/memory-budget.ts";
import { never } from "../layer/directory.ts";
import type { FindingsReporter } from "../layer/findings.ts";
import type { LayerEntries } from "../layer/layer-entries.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { newContext, type RootfsContext, type SharedByLayers } from "../rootfs/context.ts";
import type { OnDisk } from "../rootfs/disk-directory.ts";
import { NodeMaker } from "../rootfs/node-maker.ts";
import { Rootfs } from "../rootfs/rootfs.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import { LowerLayers } from "./lower-layers.ts";
import type { OverlayFormat } from "./overlay-format.ts";
import { mark, OverlayWhiteouts } from "./overlay-whiteouts.ts";

/** Alone in its directory a layer is the first of all. */
const only = 0;

export interface OverlayLayerParts {
  /** An open handle of an empty directory, of which nobody else knows yet. */
  readonly directory: number;
  /** Open handles of the layers below, topmost first. */
  readonly lower: readonly number[];
  readonly format: OverlayFormat;
  readonly settings: RootfsSettings;
  readonly reporter: FindingsReporter;
  /** What all layers of the image share. */
  readonly shared: SharedByLayers;
}

/**
 * Makes an empty directory the next layer of an overlay: what it shows together with those below is the image so far.
 */
export class OverlayLayer implements Disposable {
  readonly #applier: LayerEntries<OnDisk>;
  readonly #context: RootfsContext;
  readonly #rootfs: Rootfs;
  readonly #below: LowerLayers | undefined;
  readonly #format: OverlayFormat;
  readonly #memory: MemoryShare;

  constructor({ directory, lower, format, settings, reporter, shared }: OverlayLayerParts) {
    const [top, ...others] = lower;
    this.#below = top === undefined ? undefined : new LowerLayers([top, ...others], format);
    this.#format = format;
    this.#memory = new MemoryShare(shared.memory);
    this.#context = newContext(directory, settings, reporter, {
      shared: { ...shared, memory: this.#memory },
      overlay: { xattrInclude: [`${format.prefix}*`], xattrNames: format },
    });
    this.#rootfs = new Rootfs(this.#context, { whiteoutsOf: (context) => new OverlayWhiteouts(context) });
    this.#beginRoot();
    this.#applier = this.#rootfs.beginLayer(only);
  }

  apply(entry: Entry, body: ByteSource): void {
    this.#applier.apply(entry, body);
  }

  /** Completes the layer; all entries have been applied. */
  end(): void {
    this.#applier.end();
    mark(this.#context, new NodeMaker(this.#context, only), this.#format);
    this.#rootfs.finish();
  }

  /** Whether it hides all that is below it, so that the next layer need not ask those. */
  get hidesAll(): boolean {
    const { root } = this.#context.tree;
    return root.own.lower !== undefined && root.clearedIn === only;
  }

  [Symbol.dispose](): void {
    this.#rootfs.close();
    this.#below?.close();
    this.#memory.releaseAll();
  }

  /** The topmost layer's root is the overlay's: it has what the layers below say until this one says otherwise. */
  #beginRoot(): void {
    if (this.#below === undefined) return;
    const { directoryAttributes, tree } = this.#context;
    const lower = this.#below.root(this.#context);
    const { mode, uid, gid, mtime, atime } = lower.stat;
    directoryAttributes.describe(tree.root, {
      path: byteStringOf("."),
      mode,
      uid,
      gid,
      mtime,
      atime,
      xattrs: lower.xattrs,
    });
    tree.root.own.lower = lower;
    tree.root.clearedIn = never;
  }
}
