import { channel } from "node:diagnostics_channel";
import { together, unlessAborted } from "../base/abort.ts";
import type { Limits } from "../base/limits.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { AheadThreads, createAheadRings } from "./ahead-threads.ts";
import { type ProvenLayers, withProof } from "./blamed-layer.ts";
import type { BlobDigests } from "./blob-digests.ts";
import { type ContentRings, ContentThreads, createContentRings } from "./content-threads.ts";
import type { DecompressJob } from "./decompress-job.ts";
import { digest } from "./digesting.ts";
import { feed } from "./feed.ts";
import { IndexReceiver, type IndexSink } from "./index-receiver.ts";
import type { DiscardJob, EngineReport, Job, Message } from "./messages.ts";
import { OutletReader, type SharedOutlet } from "./outlet.ts";
import type { Progress } from "./progress.ts";
import { AsyncRingWriter, cancelRing, createRing, leaveFirstReaderOut, type SharedRing } from "./ring.ts";
import { waitsOf } from "./ring-waits.ts";
import { living, startLibuvPool, Thread } from "./thread.ts";

type Consumer = "apply-worker" | "files-worker" | "tree-worker" | "verify-worker" | "sync-worker";

/**
 * What the threads are to do with an image's layers. The consuming thread sends reports of type `Own` besides the
 * engine's.
 */
export interface PipelineJob<Own extends Message = never> extends ProvenLayers {
  /**
   * Gives the compressed bytes of a layer, by its index in `layers`, bottom first. It is called once for each, in order;
   * the signal ends it.
   */
  readonly open: (index: number, signal: AbortSignal) => AsyncIterable<Uint8Array>;
  readonly progress: Progress;
  /**
   * Whether this program made the archives, uncompressed and without diffIDs: they go to the consuming thread as they
   * come. Default: they have to be decompressed.
   */
  readonly passesOn?: boolean;
  /** Whether a thread of its own verifies diffIDs. Starting it pays for large images, if a processor is free. */
  readonly hasDigestThread: boolean;
  /** What the blobs digest to, if a thread of its own is to find that out for whoever asked. */
  readonly blobDigests?: BlobDigests | undefined;
  /** How many threads decode parts of large layers ahead. Default: none. */
  readonly aheadThreads?: number;
  /** Whether these start at once. By default they start when there is something for them. */
  readonly startsAheadThreads?: boolean;
  /** How many threads make files while the consuming thread makes names, and beneath which directory. Default: none. */
  readonly contents?: { readonly threads: number; readonly staging: string } | undefined;
  /** Takes indexes of layers, which a thread of its own makes. */
  readonly indexes?: IndexSink | undefined;
  /** The job of the consuming thread, which gets the archives from this ring, and may give files to content threads. */
  readonly consume: (archives: SharedRing, contents: readonly ContentRings[]) => Job;
  readonly sandbox: SandboxPolicy;
  readonly settings: RootfsSettings;
  /** Must not throw. */
  readonly onReport: (report: EngineReport | Own) => void;
}

// Large enough for one end to go on while the other is busy for a moment. Larger rings no longer fit the processor's
// caches.
const compressedRingBytes = 2 * 1024 * 1024;
const archiveRingBytes = 4 * 1024 * 1024;

/** Who receives what a thread sends. */
export interface Receiver<Own extends Message = never> {
  /** Is given the bytes, one chunk after the other, and must not keep them. The next chunk waits for the promise. */
  readonly take: (bytes: Uint8Array) => Promise<void>;
  /** Must not throw. */
  readonly onReport: (report: EngineReport | Own) => void;
  readonly signal: AbortSignal;
}

/**
 * Publishes at the end of a run how long the threads waited for each other (node:diagnostics_channel), for
 * measurements.
 */
const ringsChannel = channel("oci-unpack:rings");

/**
 * The working threads of an operation. One decompresses the layers, one consumes the archives, and for large images a
 * third one verifies the diffIDs and makes indexes, and a fourth one digests the blobs.
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
    const { layers, sandbox, settings, passesOn = false } = job;
    const { decompressing, consuming } = await this.#livingThreads();
    const digests = job.hasDigestThread || job.indexes !== undefined;
    const blobDigests = job.blobDigests?.isAsked ? job.blobDigests : undefined;
    const compressed = createRing(compressedRingBytes, layers.length, blobDigests ? 2 : 1);
    const archives = passesOn ? compressed : createRing(archiveRingBytes, layers.length, digests ? 2 : 1);
    await using digesting = digests ? new Thread("digest-worker") : undefined;
    const rings = Array.from({ length: job.aheadThreads ?? 0 }, createAheadRings);
    await using ahead = new AheadThreads(rings);
    if (job.startsAheadThreads) ahead.start();
    const { threads = 0, staging = "" } = job.contents ?? {};
    await using contents = new ContentThreads(Array.from({ length: threads }, createContentRings));
    const receiver = job.indexes && new IndexReceiver(job.indexes);
    const writer = new AsyncRingWriter(compressed);
    const onReport = (report: EngineReport | Own) => (report.type === "space" ? writer.wake() : job.onReport(report));
    const onDecompressing = (report: EngineReport | Own) => {
      if (report.type === "ahead") return ahead.start();
      if (isWarning(report)) job.indexes?.reject(report.layer);
      onReport(report);
    };
    const cancel = () => {
      cancelRing(compressed);
      cancelRing(archives);
      for (const { input, output } of [...rings, ...contents.rings])
        for (const ring of [input, output]) cancelRing(ring);
      receiver?.cancel();
      writer.wake();
    };
    // Once one thread has failed and all are stopped, nobody tells digests any more, and the first error is thrown.
    const provenUntil = (stop: AbortSignal) => ({
      layers,
      prove(index: number) {
        if (blobDigests) cancelRing(archives); // the decompressing thread ends, and holds up nobody who digests blobs
        return stop.aborted ? Promise.resolve() : unlessAborted(job.prove(index), stop);
      },
    });
    const decompress = async (stop: AbortSignal) => {
      await decompressing.do<DecompressJob>(
        {
          type: "decompress",
          input: compressed,
          output: archives,
          progress: job.progress.shared,
          layers,
          verifies: !job.hasDigestThread,
          ahead: rings,
          sandbox,
          strict: settings.strict,
          limits: settings.limits,
        },
        { onReport: onDecompressing, stop },
      );
      if (this.#runsOnce) decompressing.retire();
    };
    const passedBy = () => {
      ahead.finish();
      if (blobDigests) leaveFirstReaderOut(compressed);
      writer.wake();
    };
    await together(signal, [
      (stop) => cancelledBy(stop, cancel),
      (stop) => feed(job, writer, stop),
      (stop) => withProof(provenUntil(stop), (passesOn ? Promise.resolve() : decompress(stop)).finally(passedBy)),
      async (stop) => blobDigests?.run(compressed, layers, { sandbox, onReport, stop }),
      (stop) => ahead.run(sandbox, stop),
      (stop) => contents.run({ staging, sandbox, settings }, stop),
      (stop) => withProof(provenUntil(stop), digesting && digest(job, digesting, { archives, receiver, stop })),
      (stop) => withProof(provenUntil(stop), consuming.do(job.consume(archives, contents.rings), { onReport, stop })),
    ]);
    if (ringsChannel.hasSubscribers) {
      const ahead = rings.map(({ output }) => waitsOf(output));
      ringsChannel.publish({ compressed: waitsOf(compressed), archives: waitsOf(archives), ahead });
    }
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

function isWarning(report: Message): report is Extract<EngineReport, { type: "warning" }> {
  return report.type === "warning";
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

/** Calls `cancel` when the signal is aborted. Does not wait for it. */
async function cancelledBy(signal: AbortSignal, cancel: () => void): Promise<void> {
  if (signal.aborted) return cancel();
  signal.addEventListener("abort", cancel, { once: true });
}
