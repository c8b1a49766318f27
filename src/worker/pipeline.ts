import { channel } from "node:diagnostics_channel";
import { together } from "../base/abort.ts";
import { type ErrorCode, OciUnpackError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import type { SandboxPolicy } from "../base/sandbox.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import type { DecompressJob, DigestJob, DiscardJob, EngineReport, Job, Message, NumberedLayer } from "./messages.ts";
import type { SharedOutlet } from "./outlet.ts";
import type { Progress } from "./progress.ts";
import { AsyncRingWriter, cancelRing, createRing, type SharedRing, waitsOf } from "./ring.ts";
import { Tap } from "./tap.ts";
import { startLibuvPool, Thread, type ThreadName } from "./thread.ts";

type Consumer = "apply-worker" | "tree-worker";

/** What is to be done; the job of `consume` tells `Own` besides what every thread does. */
export interface PipelineJob<Own extends Message = never> {
  /** Bottom first. */
  readonly layers: readonly NumberedLayer[];
  /** The compressed bytes of a layer, by its place in `layers`; asked for once each, in that order. The signal ends them. */
  readonly open: (index: number, signal: AbortSignal) => AsyncIterable<Uint8Array>;
  /** Waits until those bytes, of which no more are read, are known to be right; throws what is wrong with them. */
  readonly prove: (index: number) => Promise<void>;
  readonly progress: Progress;
  /** Whether diffIDs are verified on a thread of their own: worth its start for large images, where a processor is free. */
  readonly hasDigestThread: boolean;
  /** What the second thread is to do with the archives. */
  readonly consume: (archives: SharedRing) => Job;
  readonly sandbox: SandboxPolicy;
  readonly settings: RootfsSettings;
  /** Must not throw. */
  readonly onReport: (report: EngineReport | Own) => void;
}

// Rings hold what one side does while the other is held up for a moment; larger ones only leave the processor's caches.
const compressedRingBytes = 2 * 1024 * 1024;
const archiveRingBytes = 4 * 1024 * 1024;

/** What becomes of what a thread hands over. */
export interface Pouring<Own extends Message = never> {
  /** May take its time, and may not keep the bytes. */
  readonly take: (bytes: Uint8Array) => Promise<void>;
  /** Must not throw. */
  readonly onReport: (report: EngineReport | Own) => void;
  readonly signal: AbortSignal;
}

/** Tells whoever measures (node:diagnostics_channel), at the end of a run, how the threads waited for each other. */
const ringsChannel = channel("oci-unpack:rings");

/**
 * The working threads: one decompresses, one consumes what comes out, and for large images one verifies the diffIDs.
 *
 *   main ══ compressed ring ══▶ decompressing thread ══ archive ring ══▶ applying thread ──▶ files
 *                                                            ╚═════════▶ digesting thread
 */
export class Pipeline implements AsyncDisposable {
  readonly #consumer: Consumer;
  readonly #memoryBytes: number;
  readonly #threads: Promise<Threads>;

  /** Returns at once, while the threads start. `consumer` applies entries to a disk, or merges them in memory, and remembers so much. */
  constructor({ memoryBytes }: Pick<Limits, "memoryBytes">, consumer: Consumer = "apply-worker") {
    this.#consumer = consumer;
    this.#memoryBytes = memoryBytes;
    this.#threads = startThreads(consumer, memoryBytes);
    // Whoever needs the threads first learns of a failure; until then it is nobody's unhandled rejection.
    this.#threads.catch(() => {});
  }

  /** Takes all layers through the threads. When it fails or is aborted, both have stopped before it throws. */
  async run<Own extends Message = never>(job: PipelineJob<Own>, signal: AbortSignal): Promise<void> {
    const { layers, sandbox, settings } = job;
    const { limits, strict } = settings;
    const progress = job.progress.shared;
    const { decompressing, consuming } = await this.#livingThreads();
    const compressed = createRing(compressedRingBytes, layers.length);
    const archives = createRing(archiveRingBytes, layers.length, job.hasDigestThread ? 2 : 1);
    await using digesting = job.hasDigestThread ? new Thread("digest-worker") : undefined;
    const writer = new AsyncRingWriter(compressed);
    const onReport = (report: EngineReport | Own) => (report.type === "space" ? writer.wake() : job.onReport(report));
    const cancel = () => {
      cancelRing(compressed);
      cancelRing(archives);
      writer.wake();
    };
    await together(signal, [
      (stop) => cancelledBy(stop, cancel),
      (stop) => feed(job, writer, stop),
      (stop) =>
        judged(
          job,
          decompressing.do<DecompressJob>(
            {
              type: "decompress",
              input: compressed,
              output: archives,
              progress,
              layers,
              verifies: digesting === undefined,
              sandbox,
              strict,
              limits,
            },
            { onReport, stop },
          ),
        ),
      (stop) =>
        judged(job, digesting?.do<DigestJob>({ type: "digest", input: archives, layers, sandbox }, { onReport, stop })),
      (stop) => judged(job, consuming.do(job.consume(archives), { onReport, stop })),
    ]);
    if (ringsChannel.hasSubscribers) {
      ringsChannel.publish({ compressed: waitsOf(compressed), archives: waitsOf(archives) });
    }
  }

  /**
   * Has the second thread do something with what it made of the layers, and passes on the bytes that it hands over. When
   * it fails or is aborted, the thread has stopped before it throws.
   */
  async pour<Own extends Message = never>(
    job: (outlet: SharedOutlet) => Job,
    { take, onReport, signal }: Pouring<Own>,
  ): Promise<void> {
    const { consuming } = await this.#threads;
    const tap = new Tap();
    await together(signal, [
      (stop) => cancelledBy(stop, () => tap.cancel()),
      async (stop) => {
        const tellBoth = (report: EngineReport | Own) => {
          tap.report(report);
          onReport(report);
        };
        await consuming.do(job(tap.outlet), { onReport: tellBoth, stop });
        tap.end();
      },
      (stop) => tap.run(take, stop),
    ]);
  }

  /**
   * Has the second thread consume one archive that comes from elsewhere, uncompressed and trusted: `feed` writes it. When
   * it fails or is aborted, the thread has stopped before it throws.
   */
  async consume<Own extends Message = never>(
    job: (archive: SharedRing) => Job,
    feed: (write: (bytes: Uint8Array) => Promise<void>, signal: AbortSignal) => Promise<void>,
    { onReport, signal }: Omit<Pouring<Own>, "take">,
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

  /** Removes what a failed run left in the staging directory, from a confined thread: the one that made it, if it lives. */
  async discard(staging: string, sandbox: SandboxPolicy): Promise<void> {
    const threads = await this.#threadsIfStarted();
    if (threads === undefined) return; // nobody has made anything
    threads.consuming = living(threads.consuming, this.#consumer, this.#memoryBytes);
    await threads.consuming.do<DiscardJob>({ type: "discard", staging, sandbox });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const threads = await this.#threadsIfStarted();
    await Promise.all([threads?.decompressing[Symbol.asyncDispose](), threads?.consuming[Symbol.asyncDispose]()]);
  }

  /** A thread that had to be ended, since it did not answer, has a successor. What it knew is gone. */
  async #livingThreads(): Promise<Threads> {
    const threads = await this.#threads;
    threads.decompressing = living(threads.decompressing, "decompress-worker");
    threads.consuming = living(threads.consuming, this.#consumer, this.#memoryBytes);
    return threads;
  }

  /** For who cleans up: that they did not start has been told already. */
  #threadsIfStarted(): Promise<Threads | undefined> {
    return this.#threads.catch(() => undefined);
  }
}

interface Threads {
  decompressing: Thread;
  consuming: Thread;
}

function living(thread: Thread, name: ThreadName, memoryBytes?: number): Thread {
  return thread.isAlive ? thread : new Thread(name, memoryBytes);
}

async function startThreads(consumer: Consumer, memoryBytes: number): Promise<Threads> {
  await startLibuvPool();
  const decompressing = new Thread("decompress-worker");
  try {
    return { decompressing, consuming: new Thread(consumer, memoryBytes) };
  } catch (error) {
    await decompressing[Symbol.asyncDispose](); // one alone is of no use, and would keep the process alive
    throw error;
  }
}

/** Errors that blame what a layer's bytes say. A limit stops at once: what is too much is not waited for. */
const blaming: ReadonlySet<string> = new Set<ErrorCode>([
  "UNSUPPORTED_MEDIA_TYPE",
  "DIFF_ID_MISMATCH",
  "CORRUPT_LAYER",
  "INVALID_ARCHIVE",
  "ENTRY_REFUSED",
  "STRICT_VIOLATION",
]);

/**
 * Waits for a thread. Where it failed at a layer's bytes, these are judged before anybody is blamed: they may not be the
 * image's, but altered where they are kept or on the way.
 */
async function judged(
  { layers, prove }: Pick<PipelineJob, "layers" | "prove">,
  work: Promise<void> | undefined,
): Promise<void> {
  try {
    await work;
  } catch (error) {
    const blamed = error instanceof OciUnpackError && blaming.has(error.code) ? error.details.layer : undefined;
    if (blamed !== undefined) await prove(layers.findIndex(({ number }) => number === blamed));
    throw error;
  }
}

async function feed(
  job: Pick<PipelineJob, "layers" | "open">,
  writer: AsyncRingWriter,
  signal: AbortSignal,
): Promise<void> {
  for (const layer of job.layers.keys()) {
    for await (const chunk of job.open(layer, signal)) await writer.write(chunk);
    writer.end();
  }
}

/** Waits for nothing but the signal: calls `cancel` when it is aborted. */
async function cancelledBy(signal: AbortSignal, cancel: () => void): Promise<void> {
  if (signal.aborted) return cancel();
  signal.addEventListener("abort", cancel, { once: true });
}
