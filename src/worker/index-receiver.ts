import type { IndexOrder, LayerIndexReport } from "./layer-indexing.ts";
import type { EngineReport, Job, Message } from "./messages.ts";
import { cancelOutlet, createOutlet, isBytes, passedOn } from "./outlet.ts";
import type { DoOptions, Thread } from "./thread.ts";

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
  /** What the thread is to do that makes the indexes. */
  readonly order: IndexOrder;
  readonly #sink: IndexSink;
  #next = 0;
  #taking: Promise<void> = Promise.resolve();

  constructor(sink: IndexSink) {
    this.#sink = sink;
    this.order = { layers: sink.layers, outlet: createOutlet() };
  }

  /** Has a thread do a job by which it makes the indexes. Waits until the sink has taken everything. */
  async do<Own extends Message>(thread: Thread, job: Job, { onReport, stop }: Required<DoOptions<Own>>): Promise<void> {
    const pass = (report: EngineReport | LayerIndexReport | Own) => {
      if (isBytes(report)) this.#then(() => this.#take(report.bytes));
      else if (isIndexed(report)) this.#then(() => this.#end(report.isComplete));
      else onReport(report);
    };
    try {
      await thread.do<Job, LayerIndexReport | Own>(job, { onReport: pass, stop });
    } finally {
      await this.#taking.catch(() => {}); // also after a failure: what is written then would be left behind
    }
    await this.#taking;
  }

  /** Makes the thread stop where it waits for this. */
  cancel(): void {
    cancelOutlet(this.order.outlet);
  }

  #then(work: () => Promise<void>): void {
    this.#taking = this.#taking.then(work);
    this.#taking.catch(() => this.cancel()); // `do` throws it
  }

  async #take(bytes: Uint8Array): Promise<void> {
    await this.#sink.write(this.#layer, bytes);
    passedOn(this.order.outlet);
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

/** Has a thread do a job. The indexes that it makes by it go to `receiver`, if it is to make some. */
export async function doIndexing<Own extends Message>(
  thread: Thread,
  job: Job,
  options: Required<DoOptions<Own>>,
  receiver: IndexReceiver | undefined,
): Promise<void> {
  if (receiver === undefined) await thread.do(job, options);
  else await receiver.do(thread, job, options);
}

function isIndexed(report: Message): report is LayerIndexReport {
  return report.type === "indexed";
}
