import { stepsOfLayers } from "../oci/config.ts";
import type { AcceptedImage, Operation } from "../operation/operation.ts";
import { JsonLineReader } from "../worker/json-line-reader.ts";
import type { EngineReport, Job } from "../worker/messages.ts";
import type { SharedOutlet } from "../worker/outlet.ts";
import type { Pipeline } from "../worker/pipeline.ts";
import type { SyncDifference } from "./differences.ts";
import type {
  CompareForSyncJob,
  EndForSyncJob,
  ExchangeForSyncJob,
  FinishForSyncJob,
  LayForSyncJob,
  ListForSyncJob,
  SyncReport,
} from "./sync-job.ts";
import { SyncLayers } from "./sync-layers.ts";
import type { EntryCounts } from "./sync-plan.ts";
import type { SyncBeginning } from "./syncing.ts";

/** How a root filesystem is compared. */
export type WantedComparison = Pick<CompareForSyncJob, "kept" | "believed" | "tellsDifferences" | "laysAhead">;

/** What came of it. */
export interface ComparedRoot {
  readonly counts: EntryCounts;
  readonly differences: readonly SyncDifference[];
}

/** The thread that syncs, as the main thread uses it. */
export class SyncThread implements AsyncDisposable {
  readonly layers: SyncLayers;
  readonly #operation: Operation;
  readonly #accepted: AcceptedImage;
  readonly #pipeline: Pipeline;
  readonly #beginning: SyncBeginning;

  constructor(operation: Operation, accepted: AcceptedImage, pipeline: Pipeline, beginning: SyncBeginning) {
    this.layers = new SyncLayers({ operation, accepted, pipeline, beginning });
    this.#operation = operation;
    this.#accepted = accepted;
    this.#pipeline = pipeline;
    this.#beginning = beginning;
  }

  async compare(wanted: WantedComparison): Promise<ComparedRoot> {
    const { selection } = this.#operation.settings;
    const steps = stepsOfLayers(this.#accepted.image.config);
    const differences: SyncDifference[] = [];
    const lines = new JsonLineReader<SyncDifference>();
    let counts: EntryCounts | undefined;
    await this.#do(
      (outlet): CompareForSyncJob => ({
        type: "compare-for-sync",
        wanted: selection,
        ...wanted,
        outlet,
        ...this.#beginning,
      }),
      (report) => {
        if (report.type === "sync-compared") counts = report.counts;
      },
      async (bytes) => {
        for (const difference of lines.take(bytes)) differences.push(withInstruction(difference, steps));
      },
    );
    if (counts === undefined) throw new TypeError("nothing was compared");
    return { counts, differences };
  }

  /** Makes the new root, but for what lies there already. Gives how many bytes were written. */
  async make(): Promise<number> {
    let needed: readonly number[] = [];
    await this.#do(
      (outlet): LayForSyncJob => ({ type: "lay-for-sync", outlet }),
      (report) => {
        if (report.type === "sync-laid") needed = report.layers;
      },
    );
    await this.layers.fill(needed);
    let writtenBytes = 0;
    await this.#do(
      (outlet): FinishForSyncJob => ({ type: "finish-for-sync", outlet }),
      (report) => {
        if (report.type === "sync-made") writtenBytes = report.writtenBytes;
      },
    );
    return writtenBytes;
  }

  /** Gives the list of what the image has in the directory. */
  list(take: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    return this.#do((outlet): ListForSyncJob => ({ type: "list-for-sync", outlet }), undefined, take);
  }

  /** Puts the new root in the place of the old one, or the old one back. It takes no time, and is not interrupted. */
  exchange(): Promise<void> {
    return this.#do(
      (outlet): ExchangeForSyncJob => ({ type: "exchange-for-sync", outlet }),
      undefined,
      undefined,
      never,
    );
  }

  /** Closes what the thread has open. Where it was ended, that was done. */
  async [Symbol.asyncDispose](): Promise<void> {
    const end = (outlet: SharedOutlet): EndForSyncJob => ({ type: "end-for-sync", outlet });
    await this.#do(end, undefined, undefined, never).catch(() => {});
  }

  #do(
    job: (outlet: SharedOutlet) => Job,
    onOwn: (report: SyncReport) => void = () => {},
    take: (bytes: Uint8Array) => Promise<void> = async () => {},
    signal = this.#operation.signal,
  ): Promise<void> {
    const { events } = this.#operation;
    const onReport = (report: EngineReport | SyncReport) => (isOwn(report) ? onOwn(report) : events.report(report));
    return this.#pipeline.receive(job, { take, onReport, signal });
  }
}

const never = new AbortController().signal;

function isOwn(report: EngineReport | SyncReport): report is SyncReport {
  return report.type === "sync-compared" || report.type === "sync-laid" || report.type === "sync-made";
}

function withInstruction(difference: SyncDifference, steps: ReturnType<typeof stepsOfLayers>): SyncDifference {
  if (difference.kind === "removed") return difference;
  const createdBy = steps[difference.second.layer]?.createdBy;
  return createdBy === undefined ? difference : { ...difference, second: { ...difference.second, createdBy } };
}
