import type { Memory } from "../base/memory-budget.ts";
import type { WhiteoutBackEnd } from "../layer/back-end.ts";
import type { FindingsReporter } from "../layer/findings.ts";
import { LayerEntries } from "../layer/layer-entries.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import type { RootfsContext } from "./context.ts";
import type { OnDisk } from "./disk-directory.ts";
import { DiskHardlinks } from "./disk-hardlinks.ts";
import { DiskWhiteouts } from "./disk-whiteouts.ts";
import { FileMaker } from "./file-maker.ts";
import { newContext, sharedByLayers } from "./new-context.ts";
import { NodeMaker } from "./node-maker.ts";

/** What becomes of what the whiteouts of one layer hide. */
export type WhiteoutsOf = (context: RootfsContext, nodes: NodeMaker) => WhiteoutBackEnd<OnDisk>;

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
  readonly #whiteouts: WhiteoutsOf;

  /** `whiteouts` says what becomes of those of a layer. Default: they are carried out. */
  constructor(context: RootfsContext, whiteouts: WhiteoutsOf = (own, nodes) => new DiskWhiteouts(own, nodes)) {
    this.#context = context;
    this.#whiteouts = whiteouts;
  }

  /** Begins a layer, counted from 0; the one before it must have ended. */
  beginLayer(layer: number): LayerEntries<OnDisk> {
    const nodes = new NodeMaker(this.#context, layer);
    const files = new FileMaker(this.#context, nodes);
    return new LayerEntries(this.#context, layer, {
      directories: nodes,
      files,
      hardlinks: new DiskHardlinks(this.#context, nodes, files),
      whiteouts: this.#whiteouts(this.#context, nodes),
      end: () => nodes.made.clear(),
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

/**
 * Makes an empty directory, of which nobody else knows yet, the root of a filesystem. `directory` is an open handle of
 * it; no other way leads there, and none leads out. `memory` is where what is remembered is counted, if not in a budget
 * of its own.
 */
export function openRootfs(
  directory: number,
  settings: RootfsSettings,
  reporter: FindingsReporter,
  memory?: Memory,
): Rootfs {
  return new Rootfs(newContext(directory, settings, reporter, { shared: sharedByLayers(settings.limits, memory) }));
}
