import { tmpdir } from "node:os";
import { fetchByIndexes } from "../operation/fetch-layers.ts";
import type { NumberedLayer } from "../worker/messages.ts";
import type { Pipeline } from "../worker/pipeline.ts";
import type { ComparedImage } from "./compared-image.ts";
import type { MergeForDiffJob } from "./diff-job.ts";
import type { Which } from "./pairs.ts";

/** Brings layers to the thread that merges them, and counts what it took. */
export class LayerMerging {
  readonly pipeline: Pipeline;
  /** Which were read; one may be read twice. */
  readonly #readLayers = new Set<string>();
  #fetchedBytes = 0;

  constructor(pipeline: Pipeline) {
    this.pipeline = pipeline;
  }

  /** How many layers were read, and not their indexes in their stead. */
  get readLayers(): number {
    return this.#readLayers.size;
  }

  /** How many bytes of layers came, not counting those out of a store. */
  get fetchedBytes(): number {
    return this.#fetchedBytes;
  }

  /** Merges layers of an image into its tree, or into those of both images, and then those that were held for them. */
  async merge(image: ComparedImage, layers: readonly NumberedLayer[], images: readonly Which[]): Promise<void> {
    await this.#bring(image, layers, { images, areHeld: false });
  }

  /** Has layers of an image wait for those below them, which both images have. */
  async hold(image: ComparedImage, layers: readonly NumberedLayer[], which: Which): Promise<void> {
    await this.#bring(image, layers, { images: [which], areHeld: true });
  }

  async #bring(
    { operation, accepted }: ComparedImage,
    layers: readonly NumberedLayer[],
    { images, areHeld }: Pick<MergeForDiffJob, "images" | "areHeld">,
  ): Promise<void> {
    if (layers.length === 0) return;
    const { settings, signal } = operation;
    const { downloadedBytes } = await fetchByIndexes(
      operation,
      { ...accepted, layers },
      { pipeline: this.pipeline, directory: tmpdir() },
      (merged): MergeForDiffJob => {
        for (const { number, form } of merged.layers) if (form !== "index") this.#readLayers.add(`${images} ${number}`);
        return {
          type: "merge-for-diff",
          ...merged,
          progress: accepted.progress.shared,
          images,
          areHeld,
          sandbox: settings.sandbox,
          settings: settings.apply,
        };
      },
    );
    signal.throwIfAborted();
    this.#fetchedBytes += downloadedBytes;
  }
}
