import type { EventListener, FetchOptions } from "../base/events.ts";
import type { Digest } from "../oci/digest.ts";
import type { BlobStore } from "./blob-store.ts";
import { type ImageWithBlobs, imagesWithBlobs } from "./inventory.ts";
import { LayerStore, layerName, Overlays, type StoredLayer } from "./layer-store.ts";
import { keepNames, readNames, type StoredName } from "./stored-index.ts";
import { Trash } from "./trash.ts";

export interface PruneOptions {
  /**
   * What may stay, what was used last first; what an overlay uses stays in any case. Default: all that anything needs.
   */
  readonly maxBytes?: number;
  /** Forgets overlays that are not where they were, at once instead of after 30 days. Default: false. */
  readonly forgetAbsent?: boolean;
  readonly signal?: AbortSignal;
  /** Hears when it has to wait for others who use the store. */
  readonly onEvent?: EventListener;
}

export interface PruneResult {
  /** The names of the images that had to go. */
  readonly removedImages: readonly string[];
  /** How many layers, as directories for overlays, had to go. */
  readonly removedLayers: number;
  readonly freedBytes: number;
  readonly keptBytes: number;
  /** Directories whose overlays were not there, moved or not mounted, and whose layers stayed for their sake. */
  readonly absentOverlays: readonly string[];
}

/**
 * How often it is looked anew at what is to go, because others changed something meanwhile, before they are kept out.
 */
const mostLooks = 3;

/**
 * Takes out of a store what is not needed. Names go first: none ever leads to what is missing.
 *
 * Others are kept out for as long as names are changed and files are moved aside. What is to go is found out before,
 * and removed afterwards.
 */
export async function pruneStore(store: BlobStore, options: PruneOptions): Promise<PruneResult> {
  const { signal, onEvent } = options;
  const waiting = { ...(signal && { signal }), ...(onEvent && { onEvent }) };
  const pruning = await store.lock("prune.lock", "exclusive", waiting);
  try {
    const trash = await Trash.open(store.path("trash"));
    try {
      for (let looks = 1; looks < mostLooks; looks += 1) {
        const plan = await planned(store, options);
        const result = await alone(store, waiting, async () => {
          return (await isCurrent(store, plan)) ? await carryOut(store, plan, trash, options) : undefined;
        });
        if (result !== undefined) return result;
      }
      return await alone(store, waiting, async () => {
        return await carryOut(store, await planned(store, options), trash, options);
      });
    } finally {
      await trash.empty();
    }
  } finally {
    await pruning.close();
  }
}

async function alone<T>(store: BlobStore, waiting: FetchOptions, work: () => Promise<T>): Promise<T> {
  const use = await store.useAlone(waiting);
  try {
    return await work();
  } finally {
    await use.close();
  }
}

/** What is to go, and the store for which that was found out. */
interface Plan {
  readonly names: readonly StoredName[];
  readonly blobs: ReadonlyMap<Digest, number>;
  readonly images: readonly ImageWithBlobs[];
  readonly layers: readonly StoredLayer[];
  readonly absentOverlays: readonly string[];
  readonly kept: Kept;
}

async function planned(store: BlobStore, { maxBytes, forgetAbsent = false, signal }: PruneOptions): Promise<Plan> {
  const names = await readNames(store);
  const blobs = await store.sizes();
  const images = await imagesWithBlobs(store, blobs, signal);
  const layers = await new LayerStore(store).all();
  const overlays = new Overlays(store);
  const absentOverlays = await overlays.lookForAll(forgetAbsent);
  const kept = newest(images, layers, await overlays.layers(), maxBytes ?? Number.POSITIVE_INFINITY);
  return { names, blobs, images, layers, absentOverlays, kept };
}

/** Whether nothing was added that could need what is to go. */
async function isCurrent(store: BlobStore, { names, blobs }: Plan): Promise<boolean> {
  const known = new Set(names.map(labelOf));
  for (const name of await readNames(store)) if (!known.has(labelOf(name))) return false;
  for (const digest of await store.digests()) if (!blobs.has(digest)) return false;
  return true;
}

function labelOf({ name, descriptor }: StoredName): string {
  return `${name} ${descriptor.digest}`;
}

async function carryOut(store: BlobStore, plan: Plan, trash: Trash, options: PruneOptions): Promise<PruneResult> {
  const { images, kept, absentOverlays } = plan;
  const names = new Set([...kept.images].map(({ name, digest }) => `${name} ${digest}`));
  await keepNames(store, (entry) => names.has(labelOf(entry)), options.signal);
  // An overlay may have been made meanwhile.
  const noted = await new Overlays(store).layers();
  const removed = plan.layers.filter((layer) => !kept.layers.has(layer) && !noted.has(layerName(layer.path)));
  for (const { path } of removed) await trash.take(path);
  const orphans = [...plan.blobs].filter(([digest]) => !kept.blobs.has(digest));
  for (const [digest] of orphans) await trash.take(store.pathOf(digest));
  const freedBytes = sum(orphans.map(([, bytes]) => bytes)) + (await store.clearIngest(trash)) + bytesOf(removed);
  const removedImages = images.filter((image) => !kept.images.has(image)).flatMap(({ name }) => name ?? []);
  return { removedImages, removedLayers: removed.length, freedBytes, keptBytes: kept.bytes, absentOverlays };
}

interface Kept {
  readonly images: ReadonlySet<ImageWithBlobs>;
  readonly layers: ReadonlySet<StoredLayer>;
  readonly blobs: ReadonlyMap<Digest, number>;
  readonly bytes: number;
}

/** What was used last, as much of it as fits. What images share counts once. */
function newest(
  images: readonly ImageWithBlobs[],
  layers: readonly StoredLayer[],
  inUse: ReadonlySet<string>,
  maxBytes: number,
): Kept {
  const keptImages = new Set<ImageWithBlobs>();
  const keptLayers = new Set(layers.filter(({ path }) => inUse.has(layerName(path))));
  const keptBlobs = new Map<Digest, number>();
  let bytes = bytesOf([...keptLayers]);
  const items = [...images, ...layers.filter((layer) => !keptLayers.has(layer))];
  for (const item of items.sort((one, other) => other.lastUsed.getTime() - one.lastUsed.getTime())) {
    const added = "blobs" in item ? [...item.blobs].filter(([digest]) => !keptBlobs.has(digest)) : [];
    const addedBytes = "blobs" in item ? sum(added.map(([, sizeBytes]) => sizeBytes)) : item.sizeBytes;
    if (bytes + addedBytes > maxBytes) continue; // what was used before it may fit
    bytes += addedBytes;
    if ("blobs" in item) keptImages.add(item);
    else keptLayers.add(item);
    for (const [digest, sizeBytes] of added) keptBlobs.set(digest, sizeBytes);
  }
  return { images: keptImages, layers: keptLayers, blobs: keptBlobs, bytes };
}

function bytesOf(layers: readonly StoredLayer[]): number {
  return sum(layers.map(({ sizeBytes }) => sizeBytes));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
