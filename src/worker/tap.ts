import { ChunkQueue } from "./chunk-queue.ts";
import type { EngineReport, Message } from "./messages.ts";
import { cancelOutlet, createOutlet, passedOn } from "./outlet.ts";

/** The main thread's end of an outlet: chunks that a working thread tells of are taken one after the other. */
export class Tap {
  readonly outlet = createOutlet();
  readonly #chunks = new ChunkQueue();

  /** To be told of every report. */
  readonly report = (report: Message): void => {
    if (isBytes(report)) this.#chunks.add(report.bytes);
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

function isBytes(report: Message): report is Extract<EngineReport, { type: "bytes" }> {
  return report.type === "bytes";
}
