import type { SandboxPolicy } from "../base/option-words.ts";
import type { AheadJob, AheadRings } from "./ahead-job.ts";
import { createRing } from "./ring.ts";
import { Thread } from "./thread.ts";

/**
 * A piece with what goes with it fits into the first ring, and so does a usual batch of frames; so the decompressing thread
 * does not wait when it gives one.
 */
const inputRingBytes = 2 * 1024 * 1024;
const outputRingBytes = 1024 * 1024;

function createAheadRings(): AheadRings {
  return { input: createRing(inputRingBytes, 1), output: createRing(outputRingBytes, 1) };
}

/** The threads that decode parts of large layers ahead, for one run. */
export class AheadThreads implements AsyncDisposable {
  readonly rings: readonly AheadRings[];
  readonly #threads: Thread[] = [];
  #decide: (areNeeded: boolean) => void = () => {};
  readonly #areNeeded = new Promise<boolean>((resolve) => {
    this.#decide = resolve;
  });

  constructor(count = 0) {
    this.rings = Array.from({ length: count }, createAheadRings);
  }

  /** Starts them. */
  start(): void {
    this.#decide(true);
  }

  /** Says that there is nothing more for them. If they have not been started, they will not be. */
  finish(): void {
    this.#decide(false);
  }

  /** Lets them decode, once they are started, until their rings are ended or cancelled. */
  async run(sandbox: SandboxPolicy, stop: AbortSignal): Promise<void> {
    if (!(await this.#areNeeded)) return;
    for (const _ of this.rings) this.#threads.push(new Thread("ahead-worker"));
    await Promise.all(
      this.rings.map(({ input, output }, index) =>
        this.#threads[index]?.do<AheadJob>({ type: "decode-ahead", input, output, sandbox }, { stop }),
      ),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread[Symbol.asyncDispose]()));
  }
}
