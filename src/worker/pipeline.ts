import { cancelledBy, together } from "../base/abort.ts";
import type { Limits } from "../base/limits.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import { AheadThreads } from "./ahead-threads.ts";
import { ContentThreads } from "./content-threads.ts";
import type { DiscardJob, EngineReport, Job, Message } from "./messages.ts";
import { OutletReader, type SharedOutlet } from "./outlet.ts";
import { archiveRingBytes, isDigested, type PipelineJob, PipelineRun } from "./pipeline-run.ts";
import { AsyncRingWriter, cancelRing, createRing, type SharedRing } from "./ring.ts";
import { living, startLibuvPool, Thread } from "./thread.ts";

type Consumer = "apply-worker" | "files-worker" | "tree-worker" | "verify-worker" | "sync-worker";

/** Who receives what a thread sends. */
export interface Receiver<Own extends Message = never> {
  /** Is given the bytes, one chunk after the other, and must not keep them. The next chunk waits for the promise. */
  readonly take: (bytes: Uint8Array) => Promise<void>;
  /** Must not throw. */
  readonly onReport: (report: EngineReport | Own) => void;
  readonly signal: AbortSignal;
}

/**
 * The working threads of an operation. One decompresses the layers, one consumes the archives. A third one verifies the
 * diffIDs of large images, and makes indexes where the consuming one does not; a fourth one digests the blobs of large
 * images.
 *
 *   main ══ compressed ring ══▶ decompressing thread ══ archive ring ══▶ consuming thread ──▶ files
 *                   ╚═════════▶ digesting thread              ╚════════▶ digesting thread
 */
export class Pipeline implements AsyncDisposable {
  readonly #consumer: Consumer;
  readonly #memoryBytes: number;
  readonly #runsOnce: boolean;
  readonly #threads: Promise<Threads>;

  /**
   * Returns at once; the threads start in the background.
   *
   * The consuming thread is one that applies entries to a disk or one that merges them in memory. Its heap has room for
   * `memoryBytes`. With `runsOnce` the other thread ends as soon as everything is decompressed.
   */
  constructor(
    { memoryBytes }: Pick<Limits, "memoryBytes">,
    consumer: Consumer = "apply-worker",
    { runsOnce = false }: { readonly runsOnce?: boolean } = {},
  ) {
    this.#consumer = consumer;
    this.#runsOnce = runsOnce;
    this.#memoryBytes = memoryBytes;
    this.#threads = startThreads(consumer, memoryBytes);
    // The first call that needs the threads gets the error. Until then it must not count as an unhandled rejection.
    this.#threads.catch(() => {});
  }

  /** Brings all layers through the threads. If it fails or is aborted, they have all stopped before it throws. */
  async run<Own extends Message = never>(job: PipelineJob<Own>, signal: AbortSignal): Promise<void> {
    const { decompressing, consuming } = await this.#livingThreads();
    await using digesting = isDigested(job) ? new Thread("digest-worker") : undefined;
    await using ahead = new AheadThreads(job.aheadThreads);
    await using contents = new ContentThreads(job.contents?.threads);
    const run = new PipelineRun(job, { decompressing, consuming, digesting, ahead, contents });
    await run.go(signal, () => this.#runsOnce && decompressing.retire());
  }

  /**
   * Gives the consuming thread a job about what it made of the layers before, and gives the bytes that come out to
   * `take`. If it fails or is aborted, the thread has stopped before it throws.
   */
  async receive<Own extends Message = never>(
    job: (outlet: SharedOutlet) => Job,
    { take, onReport, signal }: Receiver<Own>,
  ): Promise<void> {
    const { consuming } = await this.#threads;
    const reader = new OutletReader();
    await together(signal, [
      (stop) => cancelledBy(stop, () => reader.cancel()),
      async (stop) => {
        const tellBoth = (report: EngineReport | Own) => {
          reader.report(report);
          onReport(report);
        };
        await consuming.do(job(reader.outlet), { onReport: tellBoth, stop });
        reader.end();
      },
      (stop) => reader.run(take, stop),
    ]);
  }

  /**
   * Gives the consuming thread an archive that is no layer: uncompressed, made by this program, written by `feed`. If
   * it fails or is aborted, the thread has stopped before it throws.
   */
  async consume<Own extends Message = never>(
    job: (archive: SharedRing) => Job,
    feed: (write: (bytes: Uint8Array) => Promise<void>, signal: AbortSignal) => Promise<void>,
    { onReport, signal }: Omit<Receiver<Own>, "take">,
  ): Promise<void> {
    const { consuming } = await this.#livingThreads();
    const ring = createRing(archiveRingBytes, 1);
    const writer = new AsyncRingWriter(ring);
    const tell = (report: EngineReport | Own) => (report.type === "space" ? writer.wake() : onReport(report));
    const cancel = () => {
      cancelRing(ring);
      writer.wake();
    };
    await together(signal, [
      (stop) => cancelledBy(stop, cancel),
      async (stop) => {
        await feed((bytes) => writer.write(bytes), stop);
        writer.end();
      },
      (stop) => consuming.do(job(ring), { onReport: tell, stop }),
    ]);
  }

  /**
   * Empties the staging directory after a failure, on a confined thread: the one that filled it, if it is still alive.
   */
  async discard(staging: string, sandbox: SandboxPolicy): Promise<void> {
    const threads = await this.#threadsIfStarted();
    if (threads === undefined) return; // nothing was made
    threads.consuming = living(threads.consuming, this.#consumer, this.#memoryBytes);
    await threads.consuming.do<DiscardJob>({ type: "discard", staging, sandbox });
  }

  /** Begins to end the threads, which have nothing more to do. */
  async retire(): Promise<void> {
    const threads = await this.#threadsIfStarted();
    threads?.decompressing.retire();
    threads?.consuming.retire();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const threads = await this.#threadsIfStarted();
    await Promise.all([threads?.decompressing[Symbol.asyncDispose](), threads?.consuming[Symbol.asyncDispose]()]);
  }

  /** The threads. One that had to be ended because it did not answer is replaced, without what it had in memory. */
  async #livingThreads(): Promise<Threads> {
    const threads = await this.#threads;
    threads.decompressing = living(threads.decompressing, "decompress-worker");
    threads.consuming = living(threads.consuming, this.#consumer, this.#memoryBytes);
    return threads;
  }

  /** For cleaning up, when the error of threads that did not start has already been thrown elsewhere. */
  #threadsIfStarted(): Promise<Threads | undefined> {
    return this.#threads.catch(() => undefined);
  }
}

interface Threads {
  decompressing: Thread;
  consuming: Thread;
}

async function startThreads(consumer: Consumer, memoryBytes: number): Promise<Threads> {
  await startLibuvPool();
  const decompressing = new Thread("decompress-worker");
  try {
    return { decompressing, consuming: new Thread(consumer, memoryBytes) };
  } catch (error) {
    await decompressing[Symbol.asyncDispose](); // it would keep the process alive
    throw error;
  }
}
