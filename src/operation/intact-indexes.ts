import type { FetchOptions } from "../base/events.ts";
import { LayerIndexes, type ReadIndex } from "../store/layer-indexes.ts";
import type { StoreUse } from "../store/store-use.ts";
import type { LayerTable } from "../table/layer-table.ts";
import type { LayerTables } from "../table/layer-tables.ts";
import type { NumberedLayer } from "../worker/messages.ts";

/**
 * What stands for an image's layers: the indexes that a store has of them, each verified, and where it has none the tables
 * of contents that layers have themselves. The store is in use, so that the indexes stay.
 */
export class IntactIndexes {
  readonly #indexes: ReadonlyMap<number, ReadIndex>;
  /** Where a layer has both, its index goes before its table. */
  tables: LayerTables | undefined;

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

  /** Whether the store has the index of a layer. */
  has(layer: number): boolean {
    return this.#indexes.has(layer);
  }

  /** The table of contents that stands for a layer. */
  tableOf(layer: number): LayerTable | undefined {
    return this.#indexes.has(layer) ? undefined : this.tables?.get(layer);
  }

  /** The same layers, each with what stands for it. */
  standingFor(layers: readonly NumberedLayer[]): readonly NumberedLayer[] {
    const isThere = (layer: number) => this.#indexes.has(layer) || this.tableOf(layer) !== undefined;
    return layers.map((layer) => (isThere(layer.number) ? { ...layer, form: "index" } : layer));
  }

  /** The bytes of the index of a layer, in gzip. */
  read(layer: number, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    const read = this.#indexes.get(layer);
    if (read !== undefined) return read(signal);
    const table = this.tableOf(layer);
    if (table === undefined) throw new RangeError(`layer ${layer} has no index`);
    return once(table.index);
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
