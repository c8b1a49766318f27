import type { Digest } from "../oci/digest.ts";
import type { BlobStore } from "./blob-store.ts";
import { LayerStore, type StoredLayer } from "./layer-store.ts";
import { type ImageWithBlobs, imagesWithBlobs } from "./list.ts";
import { keepNames } from "./stored-index.ts";

export interface PruneOptions {
  /** What may stay, what was used last first; what an overlay uses stays in any case. Default: all that anything needs. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

export interface PruneResult {
  /** The names of the images that had to go. */
  readonly removedImages: readonly string[];
  /** How many layers, as directories for overlays, had to go. */
  readonly removedLayers: number;
  readonly freedBytes: number;
  readonly keptBytes: number;
}

/** Takes out of a store what is not needed, while nobody else uses it. Names go first: none ever leads to what is missing. */
export async function pruneStore(store: BlobStore, { maxBytes, signal }: PruneOptions): Promise<PruneResult> {
  const use = await store.useAlone(signal);
  try {
    const layerStore = new LayerStore(store);
    const images = await imagesWithBlobs(store);
    const layers = await layerStore.all();
    const inUse = await layerStore.inUse();
    const kept = newest(images, layers, inUse, maxBytes ?? Number.POSITIVE_INFINITY);
    const names = new Set(kept.images.map(({ name, digest }) => `${name} ${digest}`));
    await keepNames(store, ({ name, descriptor }) => names.has(`${name} ${descriptor.digest}`), signal);
    const removed = layers.filter((layer) => !kept.layers.has(layer));
    for (const layer of removed) await layerStore.remove(layer);
    const freedBytes = (await removeOthers(store, kept.blobs)) + (await store.clearIngest()) + sum(removed);
    const removedImages = images.filter((image) => !kept.images.includes(image)).flatMap(({ name }) => name ?? []);
    return { removedImages, removedLayers: removed.length, freedBytes, keptBytes: kept.bytes };
  } finally {
    await use.close();
  }
}

interface Kept {
  readonly images: readonly ImageWithBlobs[];
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
  const keptImages: ImageWithBlobs[] = [];
  const keptLayers = new Set(layers.filter(({ path }) => inUse.has(path)));
  let blobs = new Map<Digest, number>();
  let layerBytes = sum([...keptLayers]);
  let blobBytes = 0;
  const items = [...images, ...layers.filter((layer) => !keptLayers.has(layer))];
  for (const item of items.sort((one, other) => other.lastUsed.getTime() - one.lastUsed.getTime())) {
    if ("blobs" in item) {
      const together = new Map([...blobs, ...item.blobs]);
      const bytes = [...together.values()].reduce((total, sizeBytes) => total + sizeBytes, 0);
      if (bytes + layerBytes > maxBytes) break;
      keptImages.push(item);
      [blobs, blobBytes] = [together, bytes];
    } else {
      if (blobBytes + layerBytes + item.sizeBytes > maxBytes) break;
      keptLayers.add(item);
      layerBytes += item.sizeBytes;
    }
  }
  return { images: keptImages, layers: keptLayers, blobs, bytes: blobBytes + layerBytes };
}

async function removeOthers(store: BlobStore, kept: ReadonlyMap<Digest, number>): Promise<number> {
  let freedBytes = 0;
  for await (const { digest, sizeBytes } of store.blobs()) {
    if (kept.has(digest)) continue;
    await store.remove(digest);
    freedBytes += sizeBytes;
  }
  return freedBytes;
}

function sum(layers: readonly StoredLayer[]): number {
  return layers.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
}
