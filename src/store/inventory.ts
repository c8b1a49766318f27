import type { Digest } from "../oci/digest.ts";
import { attachmentIn, repositoryOf } from "./attachment-names.ts";
import type { BlobStore } from "./blob-store.ts";
import { reachable, storedConfig } from "./stored-documents.ts";
import { knownNames, type StoredName } from "./stored-index.ts";

/** An image of a store: all of it for at least one platform, or its documents alone. */
export interface ImageWithBlobs {
  /** Its canonical name. An image from another tool may have none. */
  readonly name: string | undefined;
  /** The digest of its manifest or index. */
  readonly digest: Digest;
  /** The size of all its blobs in the store. Images may share blobs. */
  readonly sizeBytes: number;
  readonly lastUsed: Date;
  /** The sizes of its blobs in the store. */
  readonly blobs: ReadonlyMap<Digest, number>;
  /** Of these, what tells about it: all but the layers. */
  readonly documents: ReadonlyMap<Digest, number>;
  /** The configurations, one for each platform that is there. */
  readonly configs: readonly Digest[];
  /** The names under which the store keeps what is stored beside it, such as signatures. */
  readonly attachments: readonly StoredName[];
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
    const parts = await reachable(store, descriptor, signal);
    const attachments = attachmentsOf(names, name, new Set(parts.map(({ digest }) => digest)));
    const beside: Digest[] = [];
    for (const each of attachments)
      for (const { digest } of await reachable(store, each.descriptor, signal)) beside.push(digest);
    const digests = (part: (typeof parts)[number]["part"]) =>
      parts.filter((each) => each.part === part).map(({ digest }) => digest);
    const documents = sizesOf([...digests("document"), ...digests("config"), ...beside], stored);
    const blobs = new Map([...documents, ...sizesOf(digests("layer"), stored)]);
    images.push({
      name,
      digest: descriptor.digest,
      sizeBytes: totalOf(blobs),
      lastUsed: (await store.lastUse(descriptor.digest)) ?? new Date(0),
      blobs,
      documents,
      configs: digests("config"),
      attachments,
    });
  }
  return images.sort((one, other) => other.lastUsed.getTime() - one.lastUsed.getTime());
}

/** The diffIDs of an image's layers, for all its platforms, as far as its configurations are there and can be read. */
export async function diffIDsOf(store: BlobStore, { configs }: ImageWithBlobs): Promise<readonly Digest[]> {
  const diffIDs: Digest[] = [];
  for (const digest of configs) diffIDs.push(...((await storedConfig(store, digest))?.diffIDs ?? []));
  return diffIDs;
}

function sizesOf(digests: readonly Digest[], stored: ReadonlyMap<Digest, number>): ReadonlyMap<Digest, number> {
  const sizes = new Map<Digest, number>();
  for (const digest of digests) {
    const sizeBytes = stored.get(digest);
    if (sizeBytes !== undefined) sizes.set(digest, sizeBytes);
  }
  return sizes;
}

/** The sizes together. */
export function totalOf(sizes: ReadonlyMap<Digest, number>): number {
  return [...sizes.values()].reduce((total, bytes) => total + bytes, 0);
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
