import { tmpdir } from "node:os";
import { fetchByIndexes } from "../operation/fetch-layers.ts";
import type { NumberedLayer } from "../worker/messages.ts";
import type { Pipeline } from "../worker/pipeline.ts";
import type { Which } from "./both-trees.ts";
import type { ComparedImage } from "./compared-image.ts";
import type { MergeForDiffJob } from "./diff-job.ts";

/** Brings layers to the thread that merges them, and counts what it took. */
export class LayerMerging {
  readonly pipeline: Pipeline;
  #readLayers = 0;
  #fetchedBytes = 0;

  constructor(pipeline: Pipeline) {
    this.pipeline = pipeline;
  }

  /** How many layers were read, and not their indexes in their stead. */
  get readLayers(): number {
    return this.#readLayers;
  }

  /** How many bytes of layers came, not counting those out of a store. */
  get fetchedBytes(): number {
    return this.#fetchedBytes;
  }

  /** Merges layers of an image into its tree, or into those of both images. */
  async merge(
    { operation, accepted }: ComparedImage,
    layers: readonly NumberedLayer[],
    images: readonly Which[],
  ): Promise<void> {
    if (layers.length === 0) return;
    const { settings, signal } = operation;
    const { downloadedBytes } = await fetchByIndexes(
      operation,
      { ...accepted, layers },
      { pipeline: this.pipeline, directory: tmpdir() },
      (input, standing): MergeForDiffJob => {
        this.#readLayers += standing.filter(({ form }) => form !== "index").length;
        return {
          type: "merge-for-diff",
          input,
          progress: accepted.progress.shared,
          layers: standing,
          images,
          sandbox: settings.sandbox,
          settings: settings.apply,
        };
      },
    );
    signal.throwIfAborted();
    this.#fetchedBytes += downloadedBytes;
  }
}
