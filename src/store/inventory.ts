import type { Digest } from "../oci/digest.ts";
import { attachmentIn, repositoryOf } from "./attachment-names.ts";
import type { BlobStore } from "./blob-store.ts";
import { reachable } from "./stored-documents.ts";
import { knownNames, readNames, type StoredName } from "./stored-index.ts";

/** An image of a store: all of it for at least one platform, or its documents alone. */
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
  /** The names under which the store keeps what is stored beside it, such as signatures. */
  readonly attachments: readonly StoredName[];
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
  const names = await knownNames(store);
  const images: ImageWithBlobs[] = [];
  for (const { name, descriptor } of names.filter((each) => attachmentIn(each.name) === undefined)) {
    signal?.throwIfAborted();
    const blobs = new Map<Digest, number>();
    const found = (await reachable(store, descriptor, signal)).map(({ digest }) => digest);
    const attachments = attachmentsOf(names, name, new Set(found));
    for (const each of attachments)
      for (const { digest } of await reachable(store, each.descriptor, signal)) found.push(digest);
    for (const digest of found) {
      const sizeBytes = stored.get(digest);
      if (sizeBytes !== undefined) blobs.set(digest, sizeBytes);
    }
    const sizeBytes = [...blobs.values()].reduce((sum, bytes) => sum + bytes, 0);
    const lastUsed = (await store.lastUse(descriptor.digest)) ?? new Date(0);
    images.push({ name, digest: descriptor.digest, sizeBytes, lastUsed, blobs, attachments });
  }
  return images.sort((one, other) => other.lastUsed.getTime() - one.lastUsed.getTime());
}

/** What is stored beside an image: it is about one of the image's documents, in the same repository. */
function attachmentsOf(
  names: readonly StoredName[],
  image: string | undefined,
  documents: ReadonlySet<Digest>,
): readonly StoredName[] {
  if (image === undefined) return [];
  return names.filter(({ name }) => {
    const attachment = attachmentIn(name);
    return attachment?.repository === repositoryOf(image) && documents.has(attachment.subject);
  });
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
  for (const { name, descriptor } of await readNames(store)) {
    // Of what is stored beside an image only that is there which somebody asked for.
    if (attachmentIn(name) !== undefined) continue;
    for (const { digest, isNeeded } of await reachable(store, descriptor, signal)) {
      if (isNeeded && !stored.has(digest)) missing.add(digest);
    }
  }
  return { blobs: stored.size, corrupt, missing: [...missing] };
}
