import type { FetchOptions } from "../base/events.ts";
import { LayerIndexes, type OpenedIndex } from "../store/layer-indexes.ts";
import type { StoreUse } from "../store/store-use.ts";
import type { NumberedLayer } from "../worker/messages.ts";

/** The indexes that a store has of an image's layers: verified, and open, so that nobody can change or remove them. */
export class OpenIndexes implements AsyncDisposable {
  readonly #indexes: Map<number, OpenedIndex>;

  private constructor(indexes: Map<number, OpenedIndex>) {
    this.#indexes = indexes;
  }

  /** Opens those that are intact. Without a store there are none. */
  static async open(
    use: StoreUse | undefined,
    layers: readonly NumberedLayer[],
    options: FetchOptions,
  ): Promise<OpenIndexes> {
    const opened = new OpenIndexes(new Map());
    if (use?.hasIndexes !== true) return opened;
    const stored = new LayerIndexes(await use.open(options));
    try {
      for (const { number, diffID } of layers) {
        const index = await stored.open(diffID, options.signal);
        if (index !== undefined) opened.#indexes.set(number, index);
      }
      return opened;
    } catch (error) {
      await opened[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The same layers, each with what stands for it. */
  standingFor(layers: readonly NumberedLayer[]): readonly NumberedLayer[] {
    return layers.map((layer) => (this.#indexes.has(layer.number) ? { ...layer, form: "index" } : layer));
  }

  /** The bytes of the index of a layer, in gzip. */
  read(layer: number, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    const index = this.#indexes.get(layer);
    if (index === undefined) throw new RangeError(`layer ${layer} has no index`);
    return index.read(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const index of this.#indexes.values()) await index[Symbol.asyncDispose]();
  }
}
