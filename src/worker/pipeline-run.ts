import { channel } from "node:diagnostics_channel";
import { cancelledBy, together, unlessAborted } from "../base/abort.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import type { AheadThreads } from "./ahead-threads.ts";
import { type ProvenLayers, throwProven } from "./blamed-layer.ts";
import type { BlobDigests } from "./blob-digests.ts";
import type { ContentRings, ContentThreads } from "./content-threads.ts";
import type { DecompressJob } from "./decompress-job.ts";
import { digest } from "./digesting.ts";
import { feed } from "./feed.ts";
import { doIndexing, IndexReceiver, type IndexSink } from "./index-receiver.ts";
import type { IndexOrder } from "./layer-indexing.ts";
import type { EngineReport, Job, Message } from "./messages.ts";
import type { Progress } from "./progress.ts";
import { AsyncRingWriter, cancelRing, createRing, leaveFirstReaderOut, type SharedRing } from "./ring.ts";
import { waitsOf } from "./ring-waits.ts";
import type { Thread } from "./thread.ts";

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
  /** Takes indexes of layers. */
  readonly indexes?: IndexSink | undefined;
  /** Whether the consuming thread makes them, because it digests all files anyway. Default: one of its own does. */
  readonly consumerIndexes?: boolean;
  /**
   * The job of the consuming thread, which gets the archives from this ring, may give files to content threads, and may
   * be ordered to make indexes.
   */
  readonly consume: (archives: SharedRing, contents: readonly ContentRings[], index: IndexOrder | undefined) => Job;
  readonly sandbox: SandboxPolicy;
  readonly settings: RootfsSettings;
  /** Must not throw. */
  readonly onReport: (report: EngineReport | Own) => void;
}

// Large enough for one end to go on while the other is busy for a moment. Larger rings no longer fit the processor's
// caches.
const compressedRingBytes = 2 * 1024 * 1024;
export const archiveRingBytes = 4 * 1024 * 1024;

/** Whether a thread reads the archives besides the consuming one. */
export function isDigested({ hasDigestThread, indexes, consumerIndexes }: PipelineJob<never>): boolean {
  return hasDigestThread || (indexes !== undefined && consumerIndexes !== true);
}

/** The threads of a run. */
interface RunThreads {
  readonly decompressing: Thread;
  readonly consuming: Thread;
  /** Absent unless the job `isDigested`. */
  readonly digesting: Thread | undefined;
  readonly ahead: AheadThreads;
  readonly contents: ContentThreads;
}

/**
 * Publishes at the end of a run how long the threads waited for each other (node:diagnostics_channel), for
 * measurements.
 */
const ringsChannel = channel("oci-unpack:rings");

/** One run of an image's layers through the threads, with its rings. */
export class PipelineRun<Own extends Message> {
  readonly #job: PipelineJob<Own>;
  readonly #threads: RunThreads;
  /** Absent if nobody asked for digests of blobs. */
  readonly #blobDigests: BlobDigests | undefined;
  readonly #compressed: SharedRing;
  readonly #archives: SharedRing;
  readonly #receiver: IndexReceiver | undefined;
  readonly #writer: AsyncRingWriter;
  /** Rejects with the error of the run, once a thread has failed. */
  #verdict: Promise<never> | undefined;

  constructor(job: PipelineJob<Own>, threads: RunThreads) {
    const { layers, blobDigests, passesOn = false } = job;
    this.#job = job;
    this.#threads = threads;
    this.#blobDigests = blobDigests?.isAsked ? blobDigests : undefined;
    this.#compressed = createRing(compressedRingBytes, layers.length, this.#blobDigests ? 2 : 1);
    const readers = threads.digesting ? 2 : 1;
    this.#archives = passesOn ? this.#compressed : createRing(archiveRingBytes, layers.length, readers);
    this.#receiver = job.indexes && new IndexReceiver(job.indexes);
    this.#writer = new AsyncRingWriter(this.#compressed);
    if (job.startsAheadThreads) threads.ahead.start();
  }

  /**
   * Brings all layers through. `onDecompressed` is called when nothing is left to decompress. If it fails or is aborted,
   * the threads have all stopped before it throws.
   */
  async go(signal: AbortSignal, onDecompressed: () => void): Promise<void> {
    const job = this.#job;
    const { sandbox, settings } = job;
    const { ahead, contents } = this.#threads;
    await together(signal, [
      (stop) => cancelledBy(stop, () => this.#cancel()),
      (stop) => feed(job, this.#writer, stop),
      (stop) => this.#proven(this.#decompress(stop, onDecompressed), stop),
      (stop) => this.#digestBlobs(stop),
      (stop) => ahead.run(sandbox, stop),
      (stop) => contents.run({ staging: job.contents?.staging ?? "", sandbox, settings }, stop),
      (stop) => this.#proven(this.#digestArchives(stop), stop),
      (stop) => this.#proven(this.#consume(stop), stop),
    ]);
    if (ringsChannel.hasSubscribers) ringsChannel.publish(this.#waits());
  }

  async #decompress(stop: AbortSignal, onDecompressed: () => void): Promise<void> {
    const { layers, progress, hasDigestThread, passesOn, sandbox, settings } = this.#job;
    const { decompressing, ahead } = this.#threads;
    try {
      if (passesOn) return;
      await decompressing.do<DecompressJob>(
        {
          type: "decompress",
          input: this.#compressed,
          output: this.#archives,
          progress: progress.shared,
          layers,
          verifies: !hasDigestThread,
          ahead: ahead.rings,
          sandbox,
          strict: settings.strict,
          limits: settings.limits,
        },
        { onReport: this.#onDecompressing, stop },
      );
      onDecompressed();
    } finally {
      ahead.finish();
      if (this.#blobDigests) leaveFirstReaderOut(this.#compressed);
      this.#writer.wake();
    }
  }

  async #digestBlobs(stop: AbortSignal): Promise<void> {
    const { layers, sandbox } = this.#job;
    await this.#blobDigests?.run(this.#compressed, layers, { sandbox, onReport: this.#onReport, stop });
  }

  async #digestArchives(stop: AbortSignal): Promise<void> {
    const { digesting } = this.#threads;
    const archives = this.#archives;
    const receiver = this.#receiverOf("digesting");
    if (digesting) await digest(this.#job, digesting, { archives, receiver, stop });
  }

  async #consume(stop: AbortSignal): Promise<void> {
    const { consuming, contents } = this.#threads;
    const receiver = this.#receiverOf("consuming");
    const job = this.#job.consume(this.#archives, contents.rings, receiver?.order);
    await doIndexing(consuming, job, { onReport: this.#onReport, stop }, receiver);
  }

  /** Who takes indexes of a thread, if that one makes them. */
  #receiverOf(thread: "digesting" | "consuming"): IndexReceiver | undefined {
    const maker = this.#job.consumerIndexes ? "consuming" : "digesting";
    return thread === maker ? this.#receiver : undefined;
  }

  /**
   * Waits for a thread. The first one that fails tells the error: what others make of the bytes that come while their
   * digest is awaited says nothing. Once all are stopped, nobody tells digests any more.
   */
  async #proven(work: Promise<void>, stop: AbortSignal): Promise<void> {
    const { layers, prove } = this.#job;
    const proveUnlessStopped = (index: number) => {
      if (this.#blobDigests) cancelRing(this.#archives); // the decompressing thread ends, and holds up nobody who digests
      return stop.aborted ? Promise.resolve() : unlessAborted(prove(index), stop);
    };
    try {
      await work;
    } catch (error) {
      this.#verdict ??= throwProven({ layers, prove: proveUnlessStopped }, error);
      await this.#verdict;
    }
  }

  readonly #onReport = (report: EngineReport | Own): void => {
    if (report.type === "space") this.#writer.wake();
    else this.#job.onReport(report);
  };

  readonly #onDecompressing = (report: EngineReport): void => {
    if (report.type === "ahead") return this.#threads.ahead.start();
    if (report.type === "warning") this.#job.indexes?.reject(report.layer);
    this.#onReport(report);
  };

  #cancel(): void {
    const { ahead, contents } = this.#threads;
    const further = [...ahead.rings, ...contents.rings].flatMap(({ input, output }) => [input, output]);
    for (const ring of [this.#compressed, this.#archives, ...further]) cancelRing(ring);
    this.#receiver?.cancel();
    this.#writer.wake();
  }

  #waits() {
    const ahead = this.#threads.ahead.rings.map(({ output }) => waitsOf(output));
    return { compressed: waitsOf(this.#compressed), archives: waitsOf(this.#archives), ahead };
  }
}
