import type { OciUnpackEvent } from "../base/events.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Progress } from "../worker/progress.ts";

const tickMilliseconds = 100;

/** Turns the shared counters into events, ten times a second, for the layers that moved since the last time. */
export class ProgressTicker implements Disposable {
  readonly #layers: readonly Descriptor[];
  readonly #progress: Progress;
  readonly #tell: (event: OciUnpackEvent) => void;
  readonly #told = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(layers: readonly Descriptor[], progress: Progress, tell: (event: OciUnpackEvent) => void) {
    this.#layers = layers;
    this.#progress = progress;
    this.#tell = tell;
    this.#timer = setInterval(() => this.#tick(), tickMilliseconds);
  }

  /** Ends with a last tick, so that whoever listens sees the final numbers. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#tick();
  }

  #tick(): void {
    for (const [layer, { sizeBytes: totalBytes }] of this.#layers.entries()) {
      const downloaded = this.#progress.downloadedBytes(layer);
      if (this.#moved(`download ${layer}`, downloaded)) {
        this.#tell({ type: "download-progress", layer, bytes: downloaded, totalBytes });
      }
      const entries = this.#progress.entries(layer);
      const bytes = this.#progress.readBytes(layer);
      if (this.#moved(`apply ${layer}`, bytes + entries)) {
        this.#tell({ type: "layer-progress", layer, bytes, totalBytes, entries });
      }
    }
  }

  #moved(what: string, now: number): boolean {
    if ((this.#told.get(what) ?? 0) === now) return false;
    this.#told.set(what, now);
    return true;
  }
}
