import { type Descriptor, inlineContent } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { ImageIndex, Manifest } from "../oci/document.ts";
import type { BlobStore } from "./blob-store.ts";
import { recordName } from "./stored-index.ts";

/**
 * Follows how the parts of an image are stored, and adds its name to the store's index when all of them are there. So
 * the index never has a name whose blobs are missing.
 */
export class Completion {
  readonly #name: string;
  #top: Descriptor | undefined;
  readonly #manifests: { readonly digest: Digest; readonly manifest: Manifest; missing: Set<Digest> | undefined }[] =
    [];
  #isRecorded = false;

  constructor(name: string) {
    this.#name = name;
  }

  /** Says that a document has been stored. `isTop`: it is the manifest or index of the image's name. */
  add(descriptor: Descriptor, document: ImageIndex | Manifest, isTop: boolean): void {
    if (isTop) this.#top = { ...descriptor, mediaType: document.mediaType };
    if (document.kind === "manifest") {
      this.#manifests.push({ digest: descriptor.digest, manifest: document, missing: undefined });
    }
  }

  /**
   * Says that a blob has been stored. After the last one of a manifest the image is complete, at least for one
   * platform.
   */
  async arrived(store: BlobStore, digest: Digest, signal?: AbortSignal): Promise<void> {
    for (const one of this.#manifests) {
      one.missing ??= await missingBlobs(store, one.manifest);
      one.missing.delete(digest);
      if (one.missing.size === 0) await this.#record(store, one.digest, signal);
    }
  }

  async #record(store: BlobStore, manifest: Digest, signal?: AbortSignal): Promise<void> {
    if (this.#isRecorded || this.#top === undefined) return;
    this.#isRecorded = true;
    await recordName(store, this.#name, this.#top, signal);
    await store.touch(this.#top.digest);
    await store.touch(manifest);
  }
}

/** The blobs of a manifest that are not stored yet. Blobs in the manifest itself are stored now, for other tools. */
async function missingBlobs(store: BlobStore, { config, layers }: Manifest): Promise<Set<Digest>> {
  const missing = new Set<Digest>();
  for (const blob of [config, ...layers]) {
    const content = inlineContent(blob);
    if (content !== undefined) await store.put(blob, content);
    else if (!(await store.has(blob))) missing.add(blob.digest);
  }
  return missing;
}
