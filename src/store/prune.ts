import type { EventListener, FetchOptions } from "../base/events.ts";
import { present } from "../base/present.ts";
import type { Digest } from "../oci/digest.ts";
import type { BlobStore } from "./blob-store.ts";
import { type ImageWithBlobs, imagesWithBlobs } from "./inventory.ts";
import { LayerStore, layerName, Overlays, type StoredLayer } from "./layer-store.ts";
import { keepNames, knownNames, labelOf, type StoredName } from "./stored-index.ts";
import { Trash } from "./trash.ts";

export interface PruneOptions {
  /**
   * How many bytes may stay; what was used last stays. Layers of overlays always stay. Default: everything that is
   * needed.
   */
  readonly maxBytes?: number;
  /** Forgets overlays whose directory is absent at once, and not after 30 days. Default: false. */
  readonly forgetAbsent?: boolean;
  readonly signal?: AbortSignal;
  /** Gets an event when other processes use the store and it has to wait. */
  readonly onEvent?: EventListener;
}

export interface PruneResult {
  /** The names of the images that were removed. */
  readonly removedImages: readonly string[];
  /** How many layers, stored as directories for overlays, were removed. */
  readonly removedLayers: number;
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

/** What is to be kept, and the contents of the store for which that was found out. */
interface Plan {
  readonly names: readonly StoredName[];
  readonly blobs: ReadonlyMap<Digest, number>;
  readonly images: readonly ImageWithBlobs[];
  readonly layers: readonly StoredLayer[];
  readonly absentOverlays: readonly string[];
  readonly kept: Kept;
}

async function planned(store: BlobStore, { maxBytes, forgetAbsent = false, signal }: PruneOptions): Promise<Plan> {
  const names = await knownNames(store);
  const blobs = await store.sizes();
  const images = await imagesWithBlobs(store, blobs, signal);
  const layers = await new LayerStore(store).all();
  const overlays = new Overlays(store);
  const absentOverlays = await overlays.lookForAll(forgetAbsent);
  const kept = newest(images, layers, await overlays.layers(), maxBytes ?? Number.POSITIVE_INFINITY);
  return { names, blobs, images, layers, absentOverlays, kept };
}

/** Whether nothing has been added to the store since the plan was made. */
async function isCurrent(store: BlobStore, { names, blobs }: Plan): Promise<boolean> {
  const known = new Set(names.map(labelOf));
  for (const name of await knownNames(store)) if (!known.has(labelOf(name))) return false;
  for (const digest of await store.digests()) if (!blobs.has(digest)) return false;
  return true;
}

async function carryOut(store: BlobStore, plan: Plan, trash: Trash, options: PruneOptions): Promise<PruneResult> {
  const { images, kept, absentOverlays } = plan;
  const names = new Set(
    [...kept.images].flatMap(({ name, digest, attachments }) => [`${name} ${digest}`, ...attachments.map(labelOf)]),
  );
  const isKept = (entry: StoredName) => names.has(labelOf(entry));
  await keepNames(store, { inIndex: isKept, remembered: isKept }, options.signal);
  // An overlay may have been added meanwhile.
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

/** The images and layers that were used last, as many as fit. Blobs that images share count once. */
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
    if (bytes + addedBytes > maxBytes) continue; // something that was used earlier may still fit
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
