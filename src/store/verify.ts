import type { Digest } from "../oci/digest.ts";
import type { BlobStore } from "./blob-store.ts";
import { reachable } from "./stored-documents.ts";
import { readNames } from "./stored-index.ts";

/** What is wrong in a store. Nothing of it is ever given out: what is corrupt, or missing, is fetched again. */
export interface StoreFindings {
  /** How many blobs were read. */
  readonly blobs: number;
  /** Blobs whose bytes are not what their names say. */
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
