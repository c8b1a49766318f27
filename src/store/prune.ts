import type { Digest } from "../oci/digest.ts";
import type { BlobStore } from "./blob-store.ts";
import { type ImageWithBlobs, imagesWithBlobs } from "./list.ts";
import { keepNames } from "./stored-index.ts";

export interface PruneOptions {
  /** What may stay, the images that were used last first. Default: all that any image needs. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

export interface PruneResult {
  /** The names of the images that had to go. */
  readonly removedImages: readonly string[];
  readonly freedBytes: number;
  readonly keptBytes: number;
}

/** Takes out of a store what is not needed, while nobody else uses it. Names go first: none ever leads to what is missing. */
export async function pruneStore(store: BlobStore, { maxBytes, signal }: PruneOptions): Promise<PruneResult> {
  const use = await store.useAlone(signal);
  try {
    const images = await imagesWithBlobs(store);
    const { kept, blobs, keptBytes } = newest(images, maxBytes ?? Number.POSITIVE_INFINITY);
    const names = new Set(kept.map(({ name, digest }) => `${name} ${digest}`));
    await keepNames(store, ({ name, descriptor }) => names.has(`${name} ${descriptor.digest}`), signal);
    const freedBytes = (await removeOthers(store, blobs)) + (await store.clearIngest());
    const removedImages = images.filter((image) => !kept.includes(image)).flatMap(({ name }) => name ?? []);
    return { removedImages, freedBytes, keptBytes };
  } finally {
    await use.close();
  }
}

/** The images that were used last, as many of them as fit. What they share counts once. */
function newest(images: readonly ImageWithBlobs[], maxBytes: number) {
  const kept: ImageWithBlobs[] = [];
  let blobs = new Map<Digest, number>();
  let keptBytes = 0;
  for (const image of images) {
    const together = new Map([...blobs, ...image.blobs]);
    const bytes = [...together.values()].reduce((sum, sizeBytes) => sum + sizeBytes, 0);
    if (bytes > maxBytes) break;
    kept.push(image);
    blobs = together;
    keptBytes = bytes;
  }
  return { kept, blobs, keptBytes };
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
