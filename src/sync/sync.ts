import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { resultsTogether } from "../base/abort.ts";
import { pathOf } from "../base/option-checks.ts";
import { present } from "../base/present.ts";
import { type AcceptedImage, Operation } from "../operation/operation.ts";
import { checkedPatterns } from "../operation/options.ts";
import { NewFile } from "../output/new-file.ts";
import { insistOnLinux } from "../system/lack.ts";
import { documentsOf } from "../unpack/documents.ts";
import { Pipeline } from "../worker/pipeline.ts";
import { inPathOrder } from "./differences.ts";
import { type SyncOptions, type SyncResult, syncKinds } from "./options.ts";
import { PreviousImage } from "./previous-image.ts";
import { RereadImage } from "./reread-image.ts";
import { type SaidImage, saidImage } from "./sync-layers.ts";
import { SyncPlace } from "./sync-place.ts";
import { type ComparedRoot, SyncThread, type WantedComparison } from "./sync-thread.ts";

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
  const { settings } = operation;
  const { configBytes } = settings.apply.limits;
  await using place = await SyncPlace.open(pathOf("directory", directory), {
    isDryRun: dryRun,
    isForced: force,
    configBytes,
  });
  const mtreePath = options.mtree === undefined ? undefined : pathOf("mtree", options.mtree);
  if (mtreePath !== undefined) await place.insistIsOutside(mtreePath);
  await using mtree = mtreePath === undefined || dryRun ? undefined : await NewFile.open(mtreePath);
  await using pipeline = new Pipeline(settings.apply.limits, "sync-worker"); // while the network is asked
  const named = await operation.source();
  await using source = new RereadImage(named, tmpdir());
  const recorded = place.documents.imageConfig;
  const previous = await PreviousImage.find(recorded, operation.store, name);
  const accepted = await operation.resolve(operation.store === undefined ? source : named);
  await using thread = new SyncThread(operation, accepted, pipeline, {
    directory: place.isThere ? place.directory : undefined,
    sandbox: settings.sandbox,
    settings: settings.apply,
  });

  const isSameImage = previous.is(accepted);
  const said = trustTimes && !isSameImage ? await whatIsSaid(operation, recorded) : undefined;
  const { belief, previousDigest } = await resultsTogether(operation.signal, {
    belief: () => thread.layers.merge(said),
    previousDigest: () => previous.digest(accepted), // a store may have thousands of images
  });
  source.keepRead();
  const believed = belief ?? (isSameImage && trustTimes ? ({ tree: "wanted" } as const) : undefined);
  const { image } = accepted;
  const laysAhead = !dryRun && keepPaths.length === 0 && previous.hasOtherLayers(accepted);
  const wanted: WantedComparison = { kept: keepPaths, believed, tellsDifferences: dryRun, laysAhead };
  const making = { operation, image, place, thread, pipeline, mtree, wanted, options };
  const { counts, differences, writtenBytes } = dryRun ? await rehearse(making) : await makeReal(making);
  const { downloadedBytes, readLayers } = thread.layers;
  return {
    ...operation.finish(image, place.rootfs),
    ...present({ previousDigest }),
    rootfs: place.rootfs,
    config: place.config,
    ...(mtreePath !== undefined && !dryRun && { mtree: resolve(mtreePath) }),
    ...counts,
    configChanged: place.documents.isOther(image.configBytes, (options.bundle ?? false) !== false),
    writtenBytes,
    downloadedBytes,
    readLayers,
    ...(trustTimes && { trustedTimes: believed !== undefined }),
    ...(dryRun && { differences: inPathOrder(differences) }),
  };
}

/** What the image says of the files whose configuration lies in the directory, if the store knows that of each layer. */
async function whatIsSaid(operation: Operation, recorded: Uint8Array | undefined): Promise<SaidImage | undefined> {
  const said = recorded === undefined ? undefined : await saidImage(operation, recorded);
  if (said === undefined) {
    const message = "all files are read: the store has no index of each layer of the image that lies in the directory";
    operation.events.tell({ type: "decision", topic: "store", message });
  }
  return said;
}

interface Making {
  readonly operation: Operation;
  readonly image: AcceptedImage["image"];
  readonly place: SyncPlace;
  readonly thread: SyncThread;
  readonly pipeline: Pipeline;
  readonly mtree: NewFile | undefined;
  readonly wanted: WantedComparison;
  readonly options: SyncOptions;
}

/** What a sync did, or would do. */
interface Made extends ComparedRoot {
  readonly writtenBytes: number;
}

async function rehearse({ thread, wanted }: Making): Promise<Made> {
  return { ...(await thread.compare(wanted)), writtenBytes: 0 };
}

/**
 * Makes the directory what the image says: all but the documents, if its root filesystem is that already. After a failure
 * everything is as before.
 */
async function makeReal(making: Making): Promise<Made> {
  const { operation, place, thread, pipeline, mtree, wanted } = making;
  const { laysAhead } = wanted;
  const { sandbox } = operation.settings;
  const empty: Parameters<SyncPlace["clear"]>[1] = (path, policy) => pipeline.discard(path, policy);
  let made: Made;
  try {
    if (laysAhead) await place.stage(sandbox);
    const compared = await thread.compare(wanted);
    const { added, removed, changed } = compared.counts;
    const isSame = added + removed + changed === 0;
    if (!isSame && !laysAhead) await place.stage(sandbox);
    made = { ...compared, writtenBytes: isSame ? 0 : await thread.make() };
    if (isSame && laysAhead) await place.clear(sandbox, empty);
    if (mtree !== undefined) await thread.list((bytes) => mtree.write(bytes));
    operation.signal.throwIfAborted();
    const root = isSame ? place.rootfs : place.staging;
    const documents = await documentsOf(making.image, root, making.options, operation.events);
    await commit(place, documents, { isSame, exchange: () => thread.exchange(), mtree });
  } catch (error) {
    await mtree?.retract();
    await place.giveUp(sandbox);
    throw error;
  }
  place.finish();
  await place.removeOld(sandbox, empty);
  return made;
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
