import type { Memory } from "../base/memory-budget.ts";
import type { Reporter } from "../layer/findings.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { DiskWhiteouts } from "./disk-whiteouts.ts";
import { LayerApplier, type WhiteoutsOf } from "./layer-applier.ts";
import { allowances, newSite } from "./new-site.ts";
import type { Site } from "./site.ts";

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
  readonly #site: Site;
  readonly #whiteouts: WhiteoutsOf;

  /** `whiteouts` says what becomes of those of a layer. Default: they are carried out. */
  constructor(site: Site, whiteouts: WhiteoutsOf = (own, places) => new DiskWhiteouts(own, places)) {
    this.#site = site;
    this.#whiteouts = whiteouts;
  }

  /** Begins a layer, counted from 0; the one before it must have ended. */
  beginLayer(layer: number): LayerApplier {
    return new LayerApplier(this.#site, layer, this.#whiteouts);
  }

  /** Gives all directories, the root last, the attributes that they are to have. Nothing can be applied afterwards. */
  finish(): void {
    this.#site.directories.finish(this.#site.tree.root);
  }

  /** Closes every handle but the one that `openRootfs` was given. */
  close(): void {
    this.#site.tree.handles.close();
  }
}

/**
 * Makes an empty directory, of which nobody else knows yet, the root of a filesystem. `directory` is an open handle of
 * it; no other way leads there, and none leads out. `memory` is where what is remembered is counted, if not in a budget
 * of its own.
 */
export function openRootfs(directory: number, settings: RootfsSettings, reporter: Reporter, memory?: Memory): Rootfs {
  return new Rootfs(newSite(directory, settings, reporter, { shared: allowances(settings.limits, memory) }));
}
