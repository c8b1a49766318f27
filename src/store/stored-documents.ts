import { OciUnpackError } from "../errors.ts";
import { defaultLimits } from "../limits.ts";
import { type Descriptor, verifyBytes } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { parseDocument } from "../oci/document.ts";
import type { ImageIndex } from "../oci/image-index.ts";
import type { Manifest } from "../oci/manifest.ts";
import { documentKind } from "../oci/media-type.ts";
import { readDocument } from "../source/local/documents.ts";
import { readRange } from "../source/local/file-range.ts";
import type { BlobStore, ExpectedBlob } from "./blob-store.ts";

/** A manifest or index of the store, if it is there and right. */
export async function storedDocument(
  store: BlobStore,
  digest: Digest,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  const sizeBytes = await store.sizeOf(digest);
  if (sizeBytes === undefined || sizeBytes > defaultLimits.manifestBytes) return undefined;
  const file = await store.open({ digest, sizeBytes }, signal);
  if (file === undefined) return undefined;
  try {
    const read = () => readRange(file, { offset: 0, sizeBytes }, digest, signal);
    return await readDocument({ sizeBytes, read }, digest, defaultLimits.manifestBytes, signal);
  } finally {
    await file.close();
  }
}

/** What a blob of the store is part of: the images that it belongs to can be followed from their names down to it. */
export interface ReachableBlob extends ExpectedBlob {
  /** Of an image that can be unpacked from the store: every config and layer of a manifest that is stored. */
  readonly isNeeded: boolean;
}

/**
 * The blobs that a descriptor leads to, itself first: an index to its manifests, a manifest to its config and layers.
 *
 * An index may list manifests for other platforms, which nobody asked for yet: they are told, but not needed.
 */
export async function reachable(store: BlobStore, top: Descriptor): Promise<readonly ReachableBlob[]> {
  const found: ReachableBlob[] = [];
  const visit = async (descriptor: Descriptor, isNeeded: boolean, depth: number): Promise<void> => {
    found.push({ digest: descriptor.digest, sizeBytes: descriptor.sizeBytes, isNeeded });
    const document = depth > defaultLimits.indexDepth ? undefined : await parsed(store, descriptor);
    if (document?.kind === "manifest") {
      for (const blob of [document.config, ...document.layers]) await visit(blob, true, depth + 1);
    }
    for (const manifest of document?.kind === "index" ? document.manifests : [])
      await visit(manifest, false, depth + 1);
  };
  await visit(top, true, 0);
  return found;
}

async function parsed(store: BlobStore, descriptor: Descriptor): Promise<ImageIndex | Manifest | undefined> {
  if (documentKind(descriptor.mediaType) === undefined) return undefined;
  const bytes = await storedDocument(store, descriptor.digest);
  if (bytes === undefined) return undefined;
  try {
    verifyBytes(descriptor, bytes);
    return parseDocument(bytes, { contentType: "", descriptorType: descriptor.mediaType });
  } catch (error) {
    // Another tool's document, of a kind that leads nowhere here.
    if (error instanceof OciUnpackError) return undefined;
    throw error;
  }
}
