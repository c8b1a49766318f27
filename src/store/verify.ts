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
  let blobs = 0;
  for await (const { digest } of store.blobs()) {
    signal?.throwIfAborted();
    blobs += 1;
    if (!(await store.isIntact(digest, signal))) corrupt.push(digest);
  }
  const missing = new Set<Digest>();
  for (const { descriptor } of await readNames(store)) {
    for (const { digest, isNeeded } of await reachable(store, descriptor)) {
      if (isNeeded && (await store.sizeOf(digest)) === undefined) missing.add(digest);
    }
  }
  return { blobs, corrupt, missing: [...missing] };
}
