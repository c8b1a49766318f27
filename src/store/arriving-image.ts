import { type Descriptor, inlineContent } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { type ImageIndex, isImage, type Manifest } from "../oci/document.ts";
import type { BlobStore } from "./blob-store.ts";
import { recordName, rememberName } from "./stored-index.ts";

/**
 * Follows how the parts of an image are stored. Its name is remembered as soon as its documents are there, and added to
 * the store's index when all of it is. So the index never has a name whose blobs are missing.
 */
export class Completion {
  readonly #name: string;
  #top: Descriptor | undefined;
  readonly #manifests: { readonly digest: Digest; readonly manifest: Manifest; missing: Set<Digest> | undefined }[] =
    [];
  #noted: typeof recordName | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  /** Says that a document has been stored. `isTop`: it is the manifest or index of the image's name. */
  async add(store: BlobStore, descriptor: Descriptor, document: ImageIndex | Manifest, isTop: boolean): Promise<void> {
    if (isTop) this.#top = { ...descriptor, mediaType: document.mediaType };
    if (document.kind !== "manifest") return;
    const { digest } = descriptor;
    this.#manifests.push({ digest, manifest: document, missing: undefined });
    // A configuration in the manifest itself is never asked for, and that of an artifact need not be.
    if (inlineContent(document.config) !== undefined || !isImage(document))
      await this.#note(store, digest, rememberName);
  }

  /**
   * Says that a blob has been stored. After the last one of a manifest the image is complete, at least for one
   * platform.
   */
  async arrived(store: BlobStore, digest: Digest, signal?: AbortSignal): Promise<void> {
    for (const one of this.#manifests) {
      one.missing ??= await missingBlobs(store, one.manifest);
      one.missing.delete(digest);
      if (one.missing.size === 0) await this.#note(store, one.digest, recordName, signal);
      else if (!one.missing.has(one.manifest.config.digest)) await this.#note(store, one.digest, rememberName, signal);
    }
  }

  /** Notes once in each way what the name stands for: that it is remembered, and that all of it is there. */
  async #note(store: BlobStore, manifest: Digest, note: typeof recordName, signal?: AbortSignal): Promise<void> {
    if (this.#noted === recordName || this.#noted === note || this.#top === undefined) return;
    this.#noted = note;
    await note(store, this.#name, this.#top, signal);
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
