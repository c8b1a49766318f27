import type { Digest } from "../oci/digest.ts";
import type { BlobStore } from "./blob-store.ts";
import { reachable } from "./stored-documents.ts";
import { readNames } from "./stored-index.ts";

/** An image in a store that is complete, at least for one platform. */
export interface StoredImageEntry {
  /** Its canonical name. An image from another tool may have none. */
  readonly name: string | undefined;
  /** The digest of its manifest or index. */
  readonly digest: Digest;
  /** The size of all its blobs in the store. Images may share blobs. */
  readonly sizeBytes: number;
  readonly lastUsed: Date;
}

/** An image with the sizes of its blobs in the store. */
export interface ImageWithBlobs extends StoredImageEntry {
  readonly blobs: ReadonlyMap<Digest, number>;
}

/** The images in a store, the last used one first. */
export async function listImages(store: BlobStore, signal?: AbortSignal): Promise<readonly StoredImageEntry[]> {
  const images = await imagesWithBlobs(store, await store.sizes(), signal);
  return images.map(({ name, digest, sizeBytes, lastUsed }) => ({ name, digest, sizeBytes, lastUsed }));
}

/** The images in a store with their blobs, the last used one first. `stored` are all blobs of the store. */
export async function imagesWithBlobs(
  store: BlobStore,
  stored: ReadonlyMap<Digest, number>,
  signal?: AbortSignal,
): Promise<readonly ImageWithBlobs[]> {
  const images: ImageWithBlobs[] = [];
  for (const { name, descriptor } of await readNames(store)) {
    signal?.throwIfAborted();
    const blobs = new Map<Digest, number>();
    for (const { digest } of await reachable(store, descriptor, signal)) {
      const sizeBytes = stored.get(digest);
      if (sizeBytes !== undefined) blobs.set(digest, sizeBytes);
    }
    const sizeBytes = [...blobs.values()].reduce((sum, bytes) => sum + bytes, 0);
    const lastUsed = (await store.lastUse(descriptor.digest)) ?? new Date(0);
    images.push({ name, digest: descriptor.digest, sizeBytes, lastUsed, blobs });
  }
  return images.sort((one, other) => other.lastUsed.getTime() - one.lastUsed.getTime());
}

/** What is wrong in a store. Corrupt blobs are never used: they are fetched again, as missing ones are. */
export interface StoreFindings {
  /** How many blobs were read. */
  readonly blobs: number;
  /** Blobs whose bytes do not have the digest in their name. */
  readonly corrupt: readonly Digest[];
  /** Blobs that an image needs and that are not there. */
  readonly missing: readonly Digest[];
}

/** Reads every blob of a store. */
export async function verifyBlobs(store: BlobStore, signal?: AbortSignal): Promise<StoreFindings> {
  const corrupt: Digest[] = [];
  const stored = await store.sizes();
  for (const digest of stored.keys()) {
    signal?.throwIfAborted();
    if (!(await store.isIntact(digest, signal))) corrupt.push(digest);
  }
  const missing = new Set<Digest>();
  for (const { descriptor } of await readNames(store)) {
    for (const { digest, isNeeded } of await reachable(store, descriptor, signal)) {
      if (isNeeded && !stored.has(digest)) missing.add(digest);
    }
  }
  return { blobs: stored.size, corrupt, missing: [...missing] };
}
