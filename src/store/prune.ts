import type { FetchOptions } from "../base/events.ts";
import { present } from "../base/present.ts";
import type { BlobStore } from "./blob-store.ts";
import { layerName, Overlays } from "./layer-store.ts";
import type { Product } from "./products.ts";
import { isCurrent, type Plan, type PruneItem, type PruneOptions, planned } from "./prune-plan.ts";
import { keepNames, labelOf } from "./stored-index.ts";
import { bytesAt, Trash } from "./trash.ts";

/** What was removed from a store. */
export interface PruneResult {
  /**
   * The names of the images of which the layers were removed. Where something that was made of one stays, its documents
   * do too.
   */
  readonly removedImages: readonly string[];
  /** How many layers, stored as directories for overlays, were removed. */
  readonly removedLayers: number;
  /** How many indexes of layers were removed. */
  readonly removedIndexes: number;
  /** How many files, and root filesystems, that images became were removed. */
  readonly removedOutputs: number;
  readonly removedTrees: number;
  readonly freedBytes: number;
  readonly keptBytes: number;
  /** Directories of absent overlays, which may be moved or not mounted. Their layers were kept. */
  readonly absentOverlays: readonly string[];
}

/** How often a plan is made, because other processes changed the store meanwhile, before they are kept out. */
const mostLooks = 3;

/**
 * Removes from a store what is not needed. Names are removed first, so that no name ever leads to missing blobs.
 *
 * Other processes have to wait only while names are changed and files are moved to the trash. What to remove is found
 * out before, and the trash is emptied afterwards.
 */
export async function pruneStore(store: BlobStore, options: PruneOptions): Promise<PruneResult> {
  const { signal, onEvent } = options;
  const waiting = present({ signal, onEvent });
  const pruning = await store.lock("prune.lock", "exclusive", waiting);
  try {
    const trash = await Trash.open(store.path("trash"));
    try {
      const { result, leftovers } = await pruned(store, trash, options, waiting);
      let freedBytes = result.freedBytes;
      for (const path of leftovers) freedBytes += await bytesAt(path);
      return { ...result, freedBytes };
    } finally {
      await trash.empty();
    }
  } finally {
    await pruning.close();
  }
}

/** What was done, and what is in the trash of which the size is not known yet. */
interface Pruned {
  readonly result: PruneResult;
  readonly leftovers: readonly string[];
}

async function pruned(store: BlobStore, trash: Trash, options: PruneOptions, waiting: FetchOptions): Promise<Pruned> {
  for (let looks = 1; looks < mostLooks; looks += 1) {
    const plan = await planned(store, options);
    const done = await alone(store, waiting, async () => {
      return (await isCurrent(store, plan)) ? await carryOut(store, plan, trash, options) : undefined;
    });
    if (done !== undefined) return done;
  }
  return await alone(store, waiting, async () => {
    return await carryOut(store, await planned(store, options), trash, options);
  });
}

async function alone<T>(store: BlobStore, waiting: FetchOptions, work: () => Promise<T>): Promise<T> {
  const use = await store.useAlone(waiting);
  try {
    return await work();
  } finally {
    await use.close();
  }
}

async function carryOut(store: BlobStore, plan: Plan, trash: Trash, options: PruneOptions): Promise<Pruned> {
  const { images, kept, absentOverlays } = plan;
  const staying = new Set<PruneItem["subject"]>([...kept.candidates].map(({ subject }) => subject));
  await keepNamesOf(store, plan, staying, options.signal);
  // An overlay may have been added meanwhile.
  const noted = await new Overlays(store).layers();
  const layers = plan.layers.filter((layer) => !staying.has(layer) && !noted.has(layerName(layer.path)));
  const products = plan.products.filter((product) => !staying.has(product));
  for (const { path } of [...layers, ...products]) await trash.take(path);
  const leftovers: string[] = [];
  for (const { path } of plan.unusable) leftovers.push(await trash.take(path));
  const orphans = [...plan.blobs].filter(([digest]) => !kept.blobs.has(digest));
  for (const [digest] of orphans) await trash.take(store.pathOf(digest));
  leftovers.push(await store.clearIngest(trash));
  const gone = [...products, ...plan.unusable];
  const countOf = (kind: Product["kind"]) => gone.filter((each) => each.kind === kind).length;
  const result = {
    removedImages: images.filter((image) => !staying.has(image)).flatMap(({ name }) => name ?? []),
    removedLayers: layers.length,
    removedIndexes: countOf("index"),
    removedOutputs: countOf("output"),
    removedTrees: countOf("tree"),
    freedBytes: sum([...orphans.map(([, bytes]) => bytes), ...[...layers, ...products].map((each) => each.sizeBytes)]),
    keptBytes: kept.bytes,
    absentOverlays,
  };
  return { result, leftovers };
}

/** Keeps the names of what stays. An image of which only something that was made of it stays is remembered by its name. */
async function keepNamesOf(
  store: BlobStore,
  { images, kept }: Plan,
  staying: ReadonlySet<PruneItem["subject"]>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const origins = new Set([...kept.candidates].flatMap(({ madeOf }) => madeOf ?? []));
  const isWhole = new Set<string>();
  const isKnown = new Set<string>();
  for (const image of images.filter((each) => staying.has(each) || origins.has(each))) {
    const label = `${image.name} ${image.digest}`;
    if (staying.has(image)) isWhole.add(label);
    for (const each of image.attachments) isWhole.add(labelOf(each));
    isKnown.add(label);
  }
  await keepNames(
    store,
    {
      inIndex: (entry) => isWhole.has(labelOf(entry)),
      remembered: (entry) => isKnown.has(labelOf(entry)),
    },
    signal,
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
