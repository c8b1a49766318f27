import type { FileHandle } from "node:fs/promises";
import { limitExceeded, OciUnpackError } from "../base/errors.ts";
import { openIfThere } from "../base/if-there.ts";
import type { Limits } from "../base/limits.ts";
import { present } from "../base/present.ts";
import type { Document } from "../blob/image-source.ts";
import { type ImageConfig, parseConfig } from "../oci/config.ts";
import { type Descriptor, verifyBytes, verifyDigest } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { type ImageIndex, type Manifest, parseDocument } from "../oci/document.ts";
import { documentKind } from "../oci/media-type.ts";
import { readDocument, readRange } from "../source/local/image-files.ts";
import type { BlobStore, ExpectedBlob } from "./blob-store.ts";

/** The bytes of a manifest or index; `undefined` if it is not stored or is wrong. */
export async function storedDocument(
  store: BlobStore,
  digest: Digest,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  const sizeBytes = await store.sizeOf(digest);
  if (sizeBytes === undefined || sizeBytes > store.limits.manifestBytes) return undefined;
  const file = await store.open({ digest, sizeBytes }, signal);
  return file && (await readWhole(file, { digest, sizeBytes, limits: store.limits, signal }));
}

/** A configuration; `undefined` if it is not stored, is wrong, or is none of an image. */
export async function storedConfig(store: BlobStore, digest: Digest): Promise<ImageConfig | undefined> {
  const { limits } = store;
  const sizeBytes = await store.sizeOf(digest);
  if (sizeBytes === undefined || sizeBytes > limits.configBytes) return undefined;
  const file = await openIfThere(store.pathOf(digest));
  const bytes = file && (await readWhole(file, { digest, sizeBytes, limits, signal: undefined }, "configBytes"));
  return (
    bytes &&
    usable(() => {
      verifyDigest(digest, bytes);
      return parseConfig(bytes);
    })
  );
}

/** A document that was fetched; `undefined` for what is none: whoever asked for it says what is wrong. */
export function usableDocument(
  { mediaType, bytes }: Document,
  descriptorType?: string,
): ImageIndex | Manifest | undefined {
  return usable(() => parseDocument(bytes, present({ contentType: mediaType, descriptorType })));
}

/** What `read` makes of bytes; `undefined` where they are something else, from another tool, or damaged. */
function usable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof OciUnpackError) return undefined;
    throw error;
  }
}

/** A blob to which an image leads. */
export interface ReachableBlob extends ExpectedBlob {
  /** What it is to the image. A document is an index or a manifest. */
  readonly part: "document" | "config" | "layer";
  /** Of a layer: the config that says its diffID, and its place there. */
  readonly inConfig?: { readonly config: Digest; readonly place: number };
  /** Whether it is needed to unpack the image: it is the config or a layer of a manifest that is stored. */
  readonly isNeeded: boolean;
}

/**
 * The blobs that a descriptor leads to, each once, the descriptor itself first. An index leads to its manifests, a
 * manifest to its config and layers.
 *
 * The manifests that an index lists for other platforms are in the result, but they are not needed.
 *
 * Each document is read once, also if several indexes list it. The shortest way to it counts for its depth.
 */
export async function reachable(
  store: BlobStore,
  top: Descriptor,
  signal?: AbortSignal,
): Promise<readonly ReachableBlob[]> {
  const found = new Map<Digest, ReachableBlob>();
  let level: readonly Descriptor[] = [top];
  const add = (blob: Descriptor, what: Pick<ReachableBlob, "part" | "inConfig" | "isNeeded">): boolean => {
    const { digest, sizeBytes } = blob;
    const before = found.get(digest);
    if (before === undefined || what.isNeeded)
      found.set(digest, { digest, sizeBytes, ...what, part: before?.part ?? what.part });
    return before === undefined;
  };
  add(top, { part: "document", isNeeded: true });
  for (let depth = 0; depth <= store.limits.indexDepth; depth += 1) {
    const next: Descriptor[] = [];
    for (const descriptor of level) {
      const document = await parsed(store, descriptor, signal);
      if (document?.kind === "manifest") {
        const config = document.config.digest;
        add(document.config, { part: "config", isNeeded: true });
        for (const [place, layer] of document.layers.entries())
          add(layer, { part: "layer", inConfig: { config, place }, isNeeded: true });
      }
      if (document?.kind === "index")
        for (const each of document.manifests) if (add(each, { part: "document", isNeeded: false })) next.push(each);
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
  if ((await store.sizeOf(digest)) !== sizeBytes) return undefined;
  const { limits } = store;
  const allowed = limits.manifestBytes;
  if (sizeBytes > allowed) {
    const what = `cannot tell what ${digest} in the store "${store.directory}" needs: it has ${sizeBytes} bytes`;
    throw limitExceeded(what, "manifestBytes", { allowed });
  }
  const file = await openIfThere(store.pathOf(digest));
  const bytes = file && (await readWhole(file, { digest, sizeBytes, limits, signal }));
  if (bytes === undefined) return undefined;
  return usable(() => {
    verifyBytes(descriptor, bytes);
    return parseDocument(bytes, { contentType: "", descriptorType: descriptor.mediaType });
  });
}

interface WholeBlob extends ExpectedBlob {
  readonly limits: Limits;
  readonly signal: AbortSignal | undefined;
}

async function readWhole(
  file: FileHandle,
  { digest, sizeBytes, limits, signal }: WholeBlob,
  limit: "manifestBytes" | "configBytes" = "manifestBytes",
): Promise<Uint8Array> {
  try {
    const read = () => readRange(file, { offset: 0, sizeBytes }, digest, signal);
    return await readDocument({ sizeBytes, read }, digest, { limits, limit, signal });
  } finally {
    await file.close();
  }
}
