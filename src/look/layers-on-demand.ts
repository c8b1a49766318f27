import { unlessAborted } from "../base/abort.ts";
import { LayerFetch, spoolStorageIn } from "../blob/fetch.ts";
import type { ImageSource } from "../blob/image-source.ts";
import type { SpoolStorage } from "../blob/spool-storage.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { EventLog } from "../operation/event-log.ts";
import type { IntactIndexes } from "../operation/intact-indexes.ts";

/** A layer and its number in the image, from 0 at the bottom. */
export interface DemandedLayer {
  readonly number: number;
  readonly descriptor: Descriptor;
  /** Whether its index stands for it. */
  readonly isIndexed: boolean;
}

export interface LayersOnDemandOptions {
  /** Those of the layers that are indexed. */
  readonly indexes: Pick<IntactIndexes, "read">;
  /** Where temporary files may be made. */
  readonly directory: string;
  /** Whether `reopen` can be called. Then all layers that come are kept. */
  readonly areKept: boolean;
  readonly events: EventLog;
  readonly onProgress: (layer: number, bytes: number) => void;
}

/** Layers that are downloaded one by one, each when it is wanted, but for those that have an index. */
export class LayersOnDemand implements AsyncDisposable {
  readonly #image: ImageSource;
  readonly #layers: readonly DemandedLayer[];
  readonly #options: LayersOnDemandOptions;
  /** Shared by all layers, because otherwise each layer that is kept would have an open file. */
  readonly #room: SpoolStorage;
  readonly #fetches = new Map<Digest, LayerFetch>();
  /** How many layers have been wanted so far. */
  #wanted = 0;
  /** The numbers of those that were read and not only their index. */
  readonly #read: number[] = [];
  /** Wakes the `open` that waits for its layer to be wanted. */
  #wake: () => void = () => {};

  /** `layers` are in the order in which they will be wanted. */
  constructor(image: ImageSource, layers: readonly DemandedLayer[], options: LayersOnDemandOptions) {
    this.#image = image;
    this.#layers = layers;
    this.#options = options;
    this.#room = spoolStorageIn(options.directory);
  }

  /** The numbers of the layers of which anything was read but their index. */
  get read(): readonly number[] {
    return this.#read;
  }

  /** Says that the next layer is wanted. */
  wantNext(): void {
    this.#wanted += 1;
    this.#wake();
  }

  /**
   * The compressed bytes of a layer, by its index in `layers`, or of what stands for it. Those of a layer begin to come
   * when it is wanted. Layers have to be read one after the other.
   */
  async *open(index: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const layer = this.#layers[index];
    if (layer === undefined) throw new RangeError(`there is no layer ${index}`);
    if (layer.isIndexed) return yield* this.#options.indexes.read(layer.number, signal);
    while (this.#wanted <= index) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await unlessAborted(woken, signal);
    }
    this.#read.push(layer.number);
    yield* this.#kept(layer) ?? this.#downloaded(layer, signal);
  }

  /**
   * Waits until the bytes of a layer are known to have the right digest, and throws what is wrong if they have not. No
   * more of them may be read then.
   */
  async prove(index: number): Promise<void> {
    const layer = this.#layers[index];
    await (layer && this.#fetches.get(layer.descriptor.digest)?.proven(0));
  }

  /** The compressed bytes of a layer that has been read before and was kept. */
  reopen(number: number): AsyncIterable<Uint8Array> {
    const layer = this.#layers.find((each) => each.number === number);
    const kept = layer && this.#kept(layer);
    if (kept === undefined) throw new RangeError(`layer ${number} was not kept`);
    return kept;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#room[Symbol.asyncDispose]();
  }

  #kept({ descriptor }: DemandedLayer): AsyncIterable<Uint8Array> | undefined {
    return this.#fetches.get(descriptor.digest)?.layer(0);
  }

  async *#downloaded({ number, descriptor }: DemandedLayer, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const { areKept, events, onProgress } = this.#options;
    const isRepeated = this.#layers.filter((each) => each.descriptor.digest === descriptor.digest).length > 1;
    const fetch = new LayerFetch(this.#image, [descriptor], {
      parallelDownloads: 1,
      waiting: this.#room,
      numbers: [number],
      isKept: areKept || isRepeated,
      onEvent: events.tell,
      onProgress,
    });
    this.#fetches.set(descriptor.digest, fetch);
    const ended = new AbortController();
    const running = fetch.run(AbortSignal.any([signal, ended.signal]));
    running.catch(() => {}); // reading fails with the same error
    try {
      yield* fetch.layer(0);
      await running;
    } finally {
      ended.abort();
      await running.catch(() => {});
    }
  }
}
