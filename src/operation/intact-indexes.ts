import type { FetchOptions } from "../base/events.ts";
import { LayerIndexes, type ReadIndex } from "../store/layer-indexes.ts";
import type { StoreUse } from "../store/store-use.ts";
import type { NumberedLayer } from "../worker/messages.ts";

/** The indexes that a store has of an image's layers, each of them verified. The store is in use, so that they stay. */
export class IntactIndexes {
  readonly #indexes: ReadonlyMap<number, ReadIndex>;

  private constructor(indexes: ReadonlyMap<number, ReadIndex>) {
    this.#indexes = indexes;
  }

  /** Finds those that are intact. Without a store there are none. */
  static async find(
    use: StoreUse | undefined,
    layers: readonly NumberedLayer[],
    options: FetchOptions,
  ): Promise<IntactIndexes> {
    const indexes = new Map<number, ReadIndex>();
    if (use?.hasIndexes !== true) return new IntactIndexes(indexes);
    const stored = new LayerIndexes(await use.open(options));
    for (const { number, diffID } of layers) {
      const read = diffID && (await stored.find(diffID, options.signal));
      if (read !== undefined) indexes.set(number, read);
    }
    return new IntactIndexes(indexes);
  }

  /** The same layers, each with what stands for it. */
  standingFor(layers: readonly NumberedLayer[]): readonly NumberedLayer[] {
    return layers.map((layer) => (this.#indexes.has(layer.number) ? { ...layer, form: "index" } : layer));
  }

  /** The bytes of the index of a layer, in gzip. */
  read(layer: number, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    const read = this.#indexes.get(layer);
    if (read === undefined) throw new RangeError(`layer ${layer} has no index`);
    return read(signal);
  }
}
