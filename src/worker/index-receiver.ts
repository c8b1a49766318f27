import type { DigestReport } from "./digest-job.ts";
import type { EngineReport } from "./messages.ts";
import { cancelOutlet, createOutlet, passedOn } from "./outlet.ts";

/** Takes indexes of layers as they are made, one after the other. */
export interface IndexSink {
  /** The layers that an index is wanted of, by their numbers. */
  readonly layers: readonly number[];
  /** Takes a part of the index of a layer, which it must not keep when the promise is resolved. */
  write(layer: number, bytes: Uint8Array): Promise<void>;
  /** Says that a layer was repaired while it was decompressed. An index does not tell that, so that it must have none. */
  reject(layer: number): void;
  /** The index of a layer ends. Where it is not complete it is none. */
  end(layer: number, isComplete: boolean): Promise<void>;
}

/** The main thread's end of the outlet through which indexes come. Its sink takes them at its own pace. */
export class IndexReceiver {
  readonly outlet = createOutlet();
  readonly #sink: IndexSink;
  #next = 0;
  #taking: Promise<void> = Promise.resolve();

  constructor(sink: IndexSink) {
    this.#sink = sink;
  }

  /** Has to be called with every report of the digesting thread. */
  readonly report = (report: EngineReport | DigestReport): void => {
    if (report.type === "bytes") this.#then(() => this.#take(report.bytes));
    if (report.type === "indexed") this.#then(() => this.#end(report.isComplete));
  };

  /** Waits until the sink has taken everything. Throws the sink's error. */
  async finished(): Promise<void> {
    await this.#taking;
  }

  /** Waits until the sink takes nothing more, whatever came of it. */
  async idle(): Promise<void> {
    await this.#taking.catch(() => {});
  }

  /** Makes the digesting thread stop where it waits for this. */
  cancel(): void {
    cancelOutlet(this.outlet);
  }

  #then(work: () => Promise<void>): void {
    this.#taking = this.#taking.then(work);
    this.#taking.catch(() => this.cancel()); // `finished` throws it
  }

  async #take(bytes: Uint8Array): Promise<void> {
    await this.#sink.write(this.#layer, bytes);
    passedOn(this.outlet);
  }

  async #end(isComplete: boolean): Promise<void> {
    await this.#sink.end(this.#layer, isComplete);
    this.#next += 1;
  }

  get #layer(): number {
    const layer = this.#sink.layers[this.#next];
    if (layer === undefined) throw new RangeError("an index came that nobody wants");
    return layer;
  }
}
