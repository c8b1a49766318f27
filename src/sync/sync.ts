import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { pathOf } from "../base/option-checks.ts";
import { present } from "../base/present.ts";
import { stepsOfLayers } from "../oci/config.ts";
import { type AcceptedImage, Operation } from "../operation/operation.ts";
import { checkedPatterns } from "../operation/options.ts";
import { NewFile } from "../output/new-file.ts";
import { insistOnLinux } from "../system/lack.ts";
import { documentsOf } from "../unpack/documents.ts";
import { JsonLineReader } from "../worker/json-line-reader.ts";
import type { EngineReport, Job } from "../worker/messages.ts";
import type { SharedOutlet } from "../worker/outlet.ts";
import { Pipeline } from "../worker/pipeline.ts";
import { inPathOrder, type SyncDifference } from "./differences.ts";
import { type SyncOptions, type SyncResult, syncKinds } from "./options.ts";
import { PreviousImage } from "./previous-image.ts";
import { RereadImage } from "./reread-image.ts";
import type {
  CompareForSyncJob,
  ExchangeForSyncJob,
  FinishForSyncJob,
  LayForSyncJob,
  ListForSyncJob,
  SyncBeginning,
  SyncReport,
} from "./sync-job.ts";
import { SyncLayers, saidImage } from "./sync-layers.ts";
import { SyncPlace } from "./sync-place.ts";
import type { EntryCounts } from "./sync-plan.ts";

/**
 * Makes a directory that an image was unpacked into, or that is not there yet, what the image `name` says, and writes only
 * what differs. It repairs what was damaged as well as it brings another version.
 *
 * The new root filesystem is made beside the old one: what stays are further names of the same files, and nothing is
 * changed in place. When it is complete both are exchanged at once. At every moment `rootfs` is one whole version, and
 * `config.json`, which may be absent for a moment, never speaks of the other one.
 *
 * @throws OciUnpackError, or the reason of `options.signal`.
 */
export async function sync(name: string, directory: string | URL, options: SyncOptions = {}): Promise<SyncResult> {
  await using operation = Operation.begin(name, options, syncKinds);
  insistOnLinux("make a directory what an image says");
  const { dryRun = false, keepPaths = [], trustTimes = false, force = false } = options;
  checkedPatterns("keepPaths", keepPaths);
  const { settings, signal } = operation;
  const { configBytes } = settings.apply.limits;
  await using place = await SyncPlace.open(pathOf("directory", directory), {
    isDryRun: dryRun,
    isForced: force,
    configBytes,
  });
  const mtreePath = options.mtree === undefined ? undefined : pathOf("mtree", options.mtree);
  await using mtree = mtreePath === undefined || dryRun ? undefined : await NewFile.open(mtreePath);
  await using pipeline = new Pipeline(settings.apply.limits, "sync-worker"); // while the network is asked
  const named = await operation.source();
  await using source = new RereadImage(named, tmpdir());
  const recorded = place.documents.imageConfig;
  const previous = await PreviousImage.find(recorded, operation.store, name);
  const accepted = await operation.resolve(operation.store === undefined ? source : named);
  const thread = new SyncThread(operation, accepted, pipeline, {
    directory: place.isThere ? place.directory : undefined,
    sandbox: settings.sandbox,
    settings: settings.apply,
  });

  const { image } = accepted;
  const isSameImage = previous.is(accepted);
  const previousDigest = await previous.digest(accepted);
  const said = trustTimes && recorded !== undefined && !isSameImage ? await saidImage(operation, recorded) : undefined;
  if (trustTimes && said === undefined && !isSameImage) {
    const message = "all files are read: the store has no index of each layer of the image that lies in the directory";
    operation.events.tell({ type: "decision", topic: "store", message });
  }
  await thread.layers.merge(said);
  source.keepRead();
  const believed = said !== undefined ? "said" : isSameImage && trustTimes ? "wanted" : undefined;
  const { counts, differences } = await thread.compare({ kept: keepPaths, believed, tellsDifferences: dryRun });
  let writtenBytes = 0;
  if (!dryRun) {
    try {
      const isSame = counts.added + counts.removed + counts.changed === 0;
      if (!isSame) {
        await place.stage(settings.sandbox);
        writtenBytes = await thread.make();
      }
      if (mtree !== undefined) await thread.list((bytes) => mtree.write(bytes));
      signal.throwIfAborted();
      const root = isSame ? place.rootfs : place.staging;
      const documents = await documentsOf(image, root, options.bundle, operation.events);
      await commit(place, documents, { isSame, exchange: () => thread.exchange(), mtree });
    } catch (error) {
      await mtree?.retract();
      await place.giveUp(settings.sandbox);
      throw error;
    }
    place.finish();
    await place.clear(settings.sandbox, (path, sandbox) => pipeline.discard(path, sandbox));
  }
  const { downloadedBytes, readLayers } = thread.layers;
  return {
    ...operation.finish(image, place.rootfs),
    ...present({ previousDigest }),
    rootfs: place.rootfs,
    config: place.config,
    ...(mtreePath !== undefined && !dryRun && { mtree: resolve(mtreePath) }),
    ...counts,
    writtenBytes,
    downloadedBytes,
    readLayers,
    ...(trustTimes && { trustedTimes: believed !== undefined }),
    ...(dryRun && { differences: inPathOrder(differences) }),
  };
}

interface Committing {
  /** Whether the root filesystem is what it is to be already. */
  readonly isSame: boolean;
  readonly exchange: () => Promise<void>;
  readonly mtree: NewFile | undefined;
}

/** Puts a complete root filesystem and its documents in the place of those that are there; or leaves these. */
async function commit(
  { documents }: SyncPlace,
  wanted: Parameters<SyncPlace["documents"]["write"]>[0],
  { isSame, exchange, mtree }: Committing,
): Promise<void> {
  const undo: (() => Promise<void>)[] = [];
  try {
    if (isSame) {
      await mtree?.commit();
      if (documents.areSame(wanted)) return;
      await documents.write(wanted);
    } else {
      await documents.write(wanted);
      undo.push(() => documents.putBack());
      await documents.takeAway();
      await exchange();
      undo.push(exchange);
      await mtree?.commit();
    }
    await documents.putIn();
  } catch (error) {
    for (const step of undo.toReversed()) await step();
    throw error;
  }
}

/** The thread that syncs, as the main thread uses it. */
class SyncThread {
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

  async compare(
    wanted: Pick<CompareForSyncJob, "kept" | "believed" | "tellsDifferences">,
  ): Promise<{ readonly counts: EntryCounts; readonly differences: readonly SyncDifference[] }> {
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

  /** Makes the new root. Gives how many bytes were written. */
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
