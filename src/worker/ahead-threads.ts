import type { SandboxPolicy } from "../base/option-words.ts";
import type { AheadJob, AheadRings } from "./ahead-job.ts";
import { createRing } from "./ring.ts";
import { Thread } from "./thread.ts";

/** A piece with what goes with it fits into the first ring; so the decompressing thread never waits when it gives one. */
const inputRingBytes = 2 * 1024 * 1024;
const outputRingBytes = 1024 * 1024;

export function createAheadRings(): AheadRings {
  return { input: createRing(inputRingBytes, 1), output: createRing(outputRingBytes, 1) };
}

/** The threads that decode pieces of large gzip layers ahead, for one run. */
export class AheadThreads implements AsyncDisposable {
  readonly #threads: readonly { readonly rings: AheadRings; readonly thread: Thread }[];

  constructor(rings: readonly AheadRings[]) {
    this.#threads = rings.map((rings) => ({ rings, thread: new Thread("ahead-worker") }));
  }

  /** Lets them decode until their rings are ended or cancelled. */
  async run(sandbox: SandboxPolicy, stop: AbortSignal): Promise<void> {
    await Promise.all(
      this.#threads.map(({ rings: { input, output }, thread }) =>
        thread.do<AheadJob>({ type: "decode-ahead", input, output, sandbox }, { stop }),
      ),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map(({ thread }) => thread[Symbol.asyncDispose]()));
  }
}
