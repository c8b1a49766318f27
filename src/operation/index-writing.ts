import type { FetchOptions } from "../base/events.ts";
import type { Digest } from "../oci/digest.ts";
import { LayerIndexes, type NewIndex } from "../store/layer-indexes.ts";
import { isReadOnly, type StoreUse } from "../store/store-use.ts";
import type { IndexSink } from "../worker/index-receiver.ts";
import type { NumberedLayer } from "../worker/messages.ts";

/** Writes the indexes of the layers that are read into a store. None is there before `keep` says that all was right. */
export class IndexWriting implements IndexSink, AsyncDisposable {
  readonly layers: readonly number[];
  readonly #indexes: LayerIndexes;
  readonly #diffIDs: ReadonlyMap<number, Digest>;
  readonly #rejected = new Set<Digest>();
  #current: NewIndex | undefined;
  readonly #complete: { readonly index: NewIndex; readonly diffID: Digest }[] = [];

  private constructor(indexes: LayerIndexes, diffIDs: ReadonlyMap<number, Digest>) {
    this.#indexes = indexes;
    this.#diffIDs = diffIDs;
    this.layers = [...diffIDs.keys()];
  }

  /** `undefined` where no index is to be written: there is no store, or it has those of all `layers`. */
  static async begin(
    use: StoreUse | undefined,
    layers: readonly NumberedLayer[],
    options: FetchOptions,
  ): Promise<IndexWriting | undefined> {
    if (use?.hasIndexes !== true) return undefined;
    const indexes = new LayerIndexes(await use.open(options));
    const missing = new Map<Digest, number>();
    for (const { number, diffID, below } of layers)
      if (diffID !== undefined && below === undefined && !missing.has(diffID) && !(await indexes.has(diffID)))
        missing.set(diffID, number);
    if (missing.size === 0 || (use.isOffline && !(await isWritable(indexes)))) return undefined;
    return new IndexWriting(indexes, new Map([...missing].map(([diffID, number]) => [number, diffID])));
  }

  async write(_layer: number, bytes: Uint8Array): Promise<void> {
    this.#current ??= await this.#indexes.begin();
    await this.#current.write(bytes);
  }

  reject(layer: number): void {
    const diffID = this.#diffIDs.get(layer);
    if (diffID !== undefined) this.#rejected.add(diffID);
  }

  async end(layer: number, isComplete: boolean): Promise<void> {
    const index = this.#current;
    const diffID = this.#diffIDs.get(layer);
    this.#current = undefined;
    if (index === undefined || diffID === undefined) return;
    await index.finish(); // an image may have a thousand layers
    if (isComplete) this.#complete.push({ index, diffID });
    else await index[Symbol.asyncDispose]();
  }

  /** Makes the indexes of all layers that were read whole appear. Their digests and diffIDs have to be verified. */
  async keep(): Promise<void> {
    for (const { index, diffID } of this.#complete) if (!this.#rejected.has(diffID)) await index.keep(diffID);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#current?.[Symbol.asyncDispose]();
    for (const { index } of this.#complete) await index[Symbol.asyncDispose]();
  }
}

/** Whether an index can be written. A store that is only read may be on a read-only file system. */
async function isWritable(indexes: LayerIndexes): Promise<boolean> {
  try {
    await using _index = await indexes.begin();
    return true;
  } catch (error) {
    if (isReadOnly(error)) return false;
    throw error;
  }
}
