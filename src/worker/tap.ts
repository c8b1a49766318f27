import { ChunkQueue } from "./chunk-queue.ts";
import { cancelOutlet, createOutlet, passedOn } from "./outlet.ts";
import type { Report } from "./protocol.ts";

/** The main thread's end of an outlet: chunks that a working thread tells of are taken one after the other. */
export class Tap {
  readonly outlet = createOutlet();
  readonly #chunks = new ChunkQueue();

  /** To be told of every report. */
  readonly report = (report: Report): void => {
    if (report.type === "bytes") this.#chunks.add(report.bytes);
  };

  /** Says that the working thread is done. */
  end(): void {
    this.#chunks.end();
  }

  /** Makes the working thread and `run` give up. */
  cancel(): void {
    cancelOutlet(this.outlet);
    this.#chunks.end();
  }

  /** Gives all bytes to `take`, which may take its time, and may not keep them. Ends some time after `end`. */
  async run(take: (bytes: Uint8Array) => Promise<void>, signal: AbortSignal): Promise<void> {
    for await (const chunk of this.#chunks) {
      signal.throwIfAborted();
      await take(chunk);
      passedOn(this.outlet);
    }
  }
}
