import type { FileHandle } from "node:fs/promises";
import { OciUnpackError } from "../base/errors.ts";
import { openIfThere } from "../base/if-there.ts";
import { defaultLimits } from "../base/limits.ts";
import { type Descriptor, verifyBytes } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { type ImageIndex, type Manifest, parseDocument } from "../oci/document.ts";
import { documentKind } from "../oci/media-type.ts";
import { readDocument, readRange } from "../source/local/image-files.ts";
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
  return file && (await readWhole(file, digest, sizeBytes, signal));
}

/** What a blob of the store is part of: the images that it belongs to can be followed from their names down to it. */
interface ReachableBlob extends ExpectedBlob {
  /** Of an image that can be unpacked from the store: every config and layer of a manifest that is stored. */
  readonly isNeeded: boolean;
}

/**
 * The blobs that a descriptor leads to, itself first, each once: an index to its manifests, a manifest to its config
 * and layers.
 *
 * An index may list manifests for other platforms, which nobody asked for yet: they are told, but not needed.
 *
 * Indexes may list each other, and each other's manifests, as often as they like: no document is read twice, and the
 * nearest way to one counts for how deep it lies.
 */
export async function reachable(
  store: BlobStore,
  top: Descriptor,
  signal?: AbortSignal,
): Promise<readonly ReachableBlob[]> {
  const found = new Map<Digest, ReachableBlob>();
  let level: readonly Descriptor[] = [top];
  const add = (blobs: readonly Descriptor[], isNeeded: boolean): readonly Descriptor[] =>
    blobs.filter(({ digest, sizeBytes }) => {
      const before = found.get(digest);
      if (before === undefined || isNeeded) found.set(digest, { digest, sizeBytes, isNeeded });
      return before === undefined;
    });
  add(level, true);
  for (let depth = 0; depth <= defaultLimits.indexDepth; depth += 1) {
    const next: Descriptor[] = [];
    for (const descriptor of level) {
      const document = await parsed(store, descriptor, signal);
      if (document?.kind === "manifest") add([document.config, ...document.layers], true);
      if (document?.kind === "index") for (const each of add(document.manifests, false)) next.push(each);
    }
    level = next;
  }
  return [...found.values()];
}

async function parsed(
  store: BlobStore,
  descriptor: Descriptor,
  signal?: AbortSignal,
): Promise<ImageIndex | Manifest | undefined> {
  const kind = documentKind(descriptor.mediaType);
  if (kind !== "index" && kind !== "manifest") return undefined;
  const { digest, sizeBytes } = descriptor;
  if (sizeBytes > defaultLimits.manifestBytes || (await store.sizeOf(digest)) !== sizeBytes) return undefined;
  const file = await openIfThere(store.pathOf(digest));
  const bytes = file && (await readWhole(file, digest, sizeBytes, signal));
  if (bytes === undefined) return undefined;
  try {
    verifyBytes(descriptor, bytes);
    return parseDocument(bytes, { contentType: "", descriptorType: descriptor.mediaType });
  } catch (error) {
    // Another tool's document, of a kind that leads nowhere here, or one that was damaged.
    if (error instanceof OciUnpackError) return undefined;
    throw error;
  }
}

async function readWhole(
  file: FileHandle,
  digest: Digest,
  sizeBytes: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  try {
    const read = () => readRange(file, { offset: 0, sizeBytes }, digest, signal);
    return await readDocument({ sizeBytes, read }, digest, { limits: defaultLimits, limit: "manifestBytes", signal });
  } finally {
    await file.close();
  }
}
