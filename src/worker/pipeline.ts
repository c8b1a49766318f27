import { channel } from "node:diagnostics_channel";
import { together } from "../together.ts";
import type { Progress } from "./progress.ts";
import type { ApplyOverlayJob, ApplySettings, Job, NumberedLayer, Report, SandboxPolicy } from "./protocol.ts";
import { AsyncRingWriter, cancelRing, createRing, type SharedRing, waitsOf } from "./ring.ts";
import { startLibuvPool, Thread } from "./thread.ts";

export interface PipelineJob {
  /** Bottom first. */
  readonly layers: readonly NumberedLayer[];
  /** The compressed bytes of a layer, by its place in `layers`; asked for once each, in that order. */
  readonly open: (index: number) => AsyncIterable<Uint8Array>;
  readonly progress: Progress;
  /** Whether diffIDs are verified on a thread of their own: worth its start for large images, where a processor is free. */
  readonly hasDigestThread: boolean;
  /** Absolute path of the private directory that becomes the root filesystem, or holds the layers of an overlay. */
  readonly staging: string;
  /** For the layers of an overlay: how they are to be made, and on what. */
  readonly overlay?: Pick<ApplyOverlayJob, "layers" | "kind" | "isKept">;
  readonly sandbox: SandboxPolicy;
  readonly settings: ApplySettings;
  /** Must not throw. */
  readonly onReport: (report: Report) => void;
}

// Rings hold what one side does while the other is held up for a moment; larger ones only leave the processor's caches.
const compressedRingBytes = 2 * 1024 * 1024;
const archiveRingBytes = 4 * 1024 * 1024;

/** Tells whoever measures (node:diagnostics_channel), at the end of a run, how the threads waited for each other. */
const ringsChannel = channel("oci-unpack:rings");

/**
 * The working threads: one decompresses, one applies, and for large images one verifies the diffIDs.
 *
 *   main ══ compressed ring ══▶ decompressing thread ══ archive ring ══▶ applying thread ──▶ files
 *                                                            ╚═════════▶ digesting thread
 */
export class Pipeline implements AsyncDisposable {
  readonly #threads: Promise<{ readonly decompressing: Thread; readonly applying: Thread }>;

  /** Returns at once, while the threads start. */
  constructor() {
    this.#threads = startThreads();
    // Whoever needs the threads first learns of a failure; until then it is nobody's unhandled rejection.
    this.#threads.catch(() => {});
  }

  /** Applies all layers. When it fails or is aborted, both threads have stopped before it throws. */
  async run(job: PipelineJob, signal: AbortSignal): Promise<void> {
    const { layers, sandbox, settings } = job;
    const { limits, strict } = settings;
    const progress = job.progress.shared;
    const { decompressing, applying } = await this.#threads;
    const compressed = createRing(compressedRingBytes, layers.length);
    const archives = createRing(archiveRingBytes, layers.length, job.hasDigestThread ? 2 : 1);
    await using digesting = job.hasDigestThread ? new Thread("digest-worker") : undefined;
    const writer = new AsyncRingWriter(compressed);
    const onReport = (report: Report) => (report.type === "space" ? writer.wake() : job.onReport(report));
    const cancel = () => {
      cancelRing(compressed);
      cancelRing(archives);
      writer.wake();
    };
    await together(signal, [
      (stop) => cancelledBy(stop, cancel),
      () => feed(job, writer),
      () =>
        decompressing.do(
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
          onReport,
        ),
      async () => digesting?.do({ type: "digest", input: archives, layers, sandbox }, onReport),
      () => applying.do(applyJob(job, archives), onReport),
    ]);
    if (ringsChannel.hasSubscribers) {
      ringsChannel.publish({ compressed: waitsOf(compressed), archives: waitsOf(archives) });
    }
  }

  /** Removes what a failed run left in the staging directory: from the confined thread, if it still lives. */
  async discard(staging: string): Promise<void> {
    const { applying } = await this.#threads;
    if (applying.isAlive) return applying.do({ type: "discard", staging });
    const { discardStaging } = await import("./discard.ts");
    discardStaging(staging);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { decompressing, applying } = await this.#threads;
    await Promise.all([decompressing[Symbol.asyncDispose](), applying[Symbol.asyncDispose]()]);
  }
}

async function startThreads(): Promise<{ readonly decompressing: Thread; readonly applying: Thread }> {
  await startLibuvPool();
  return { decompressing: new Thread("decompress-worker"), applying: new Thread("apply-worker") };
}

function applyJob({ layers, overlay, progress, staging, sandbox, settings }: PipelineJob, input: SharedRing): Job {
  const common = { input, progress: progress.shared, staging, sandbox, settings };
  if (overlay !== undefined) return { type: "apply-overlay", ...common, ...overlay };
  return { type: "apply", ...common, layers: layers.length };
}

async function feed(job: PipelineJob, writer: AsyncRingWriter): Promise<void> {
  for (const layer of job.layers.keys()) {
    for await (const chunk of job.open(layer)) await writer.write(chunk);
    writer.end();
  }
}

/** Waits for nothing but the signal: calls `cancel` when it is aborted. */
async function cancelledBy(signal: AbortSignal, cancel: () => void): Promise<void> {
  if (signal.aborted) return cancel();
  signal.addEventListener("abort", cancel, { once: true });
}
