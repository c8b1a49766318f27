import { tmpdir } from "node:os";
import { fetchByIndexes, fetchLayers } from "../operation/fetch-layers.ts";
import { IntactIndexes } from "../operation/intact-indexes.ts";
import type { AcceptedImage, Operation } from "../operation/operation.ts";
import type { NumberedLayer } from "../worker/messages.ts";
import type { Pipeline } from "../worker/pipeline.ts";
import { Progress } from "../worker/progress.ts";
import type { Belief, WhichTree } from "./image-trees.ts";
import { diffIDsOf } from "./previous-image.ts";
import type { FillForSyncJob, MergeForSyncJob } from "./sync-job.ts";
import type { SyncBeginning } from "./syncing.ts";

/** The layers of an image that is not asked for, by the indexes that a store has of them. */
export interface SaidImage {
  readonly layers: readonly NumberedLayer[];
  readonly indexes: IntactIndexes;
}

/** What layers are brought with. */
interface SyncLayersParts {
  readonly operation: Operation;
  readonly accepted: AcceptedImage;
  readonly pipeline: Pipeline;
  readonly beginning: SyncBeginning;
}

/** Brings layers to the thread that syncs, and counts what it took. */
export class SyncLayers {
  readonly #parts: SyncLayersParts;
  readonly #read = new Set<number>();
  downloadedBytes = 0;

  constructor(parts: SyncLayersParts) {
    this.#parts = parts;
  }

  /** How many layers of the image were read. */
  get readLayers(): number {
    return this.#read.size;
  }

  /**
   * Merges the image into its tree and, where another one is said to lie there, that into its own; but one that is the
   * lower part of the wanted one needs none. Gives what can be believed of the directory.
   */
  async merge(said: SaidImage | undefined): Promise<Belief | undefined> {
    const { layers } = this.#parts.accepted;
    const shared = said === undefined ? 0 : sharedCount(layers, said.layers);
    if (said === undefined || said.layers.length === shared) {
      await this.#merge(layers, ["wanted"]);
      return said && { tree: "wanted", layers: shared };
    }
    await this.#merge(layers.slice(0, shared), ["wanted", "said"]);
    await this.#merge(layers.slice(shared), ["wanted"]);
    await this.#mergeSaid(said, said.layers.slice(shared));
    return { tree: "said" };
  }

  /** Takes data of files out of layers. */
  async fill(numbers: readonly number[]): Promise<void> {
    if (numbers.length === 0) return;
    const { operation, accepted, pipeline } = this.#parts;
    const layers = accepted.layers.filter(({ number }) => numbers.includes(number));
    for (const number of numbers) this.#read.add(number);
    const consume = (input: FillForSyncJob["input"]): FillForSyncJob => ({ type: "fill-for-sync", input, layers });
    const fetching = { pipeline, directory: tmpdir() };
    const progress = Progress.forLayers(accepted.layers.length); // what came before counts no more
    const again = { ...accepted, layers, progress };
    const { downloadedBytes } = await fetchLayers(operation, again, fetching, consume);
    this.downloadedBytes += downloadedBytes;
  }

  async #merge(layers: readonly NumberedLayer[], trees: readonly WhichTree[]): Promise<void> {
    if (layers.length === 0) return;
    const { operation, accepted, pipeline, beginning } = this.#parts;
    const { downloadedBytes } = await fetchByIndexes(
      operation,
      { ...accepted, layers },
      { pipeline, directory: tmpdir() },
      (merged): MergeForSyncJob => {
        for (const { number, form } of merged.layers) if (form !== "index") this.#read.add(number);
        const progress = accepted.progress.shared;
        return { type: "merge-for-sync", ...merged, progress, trees, ...beginning };
      },
    );
    this.downloadedBytes += downloadedBytes;
  }

  async #mergeSaid({ indexes }: SaidImage, layers: readonly NumberedLayer[]): Promise<void> {
    if (layers.length === 0) return;
    const { operation, accepted, pipeline, beginning } = this.#parts;
    const progress = Progress.forLayers(Math.max(...layers.map(({ number }) => number)) + 1);
    await fetchLayers(
      operation,
      { ...accepted, layers, progress },
      // They are not the image's, of which is told.
      { pipeline, directory: tmpdir(), indexes, onReport() {} },
      (input): MergeForSyncJob => ({
        type: "merge-for-sync",
        input,
        progress: progress.shared,
        layers,
        trees: ["said"],
        ...beginning,
      }),
    );
  }
}

/** The image that a configuration is of, by its layers' indexes; nothing where the store has not all of them. */
export async function saidImage(
  { store, signal, events }: Operation,
  config: Uint8Array,
): Promise<SaidImage | undefined> {
  const layers = layersOf(config);
  if (layers === undefined || store === undefined) return undefined;
  const indexes = await IntactIndexes.find(store, layers, { signal, onEvent: events.tell });
  const standing = indexes.standingFor(layers);
  return standing.every(({ form }) => form === "index") ? { layers: standing, indexes } : undefined;
}

function layersOf(config: Uint8Array): readonly NumberedLayer[] | undefined {
  return diffIDsOf(config)?.map((diffID, number) => ({ number, compression: "gzip", compressedBytes: 0, diffID }));
}

function sharedCount(layers: readonly NumberedLayer[], others: readonly NumberedLayer[]): number {
  const differs = layers.findIndex(({ diffID }, index) => diffID !== others[index]?.diffID);
  return differs < 0 ? layers.length : differs;
}
