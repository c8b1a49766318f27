import { OciUnpackError } from "../base/errors.ts";
import type { FetchOptions } from "../base/events.ts";
import type { Limits } from "../base/limits.ts";
import { settleLimits } from "../base/option-checks.ts";
import { present } from "../base/present.ts";
import { resolvedArtifact } from "../image/artifact.ts";
import { ImageDocuments } from "../image/image-documents.ts";
import type { ResolvedImage, ResolveOptions } from "../image/options.ts";
import { resolveAny } from "../image/resolve.ts";
import { type Descriptor, inlineContent } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { ImageIndex, Manifest } from "../oci/document.ts";
import { documentKind } from "../oci/media-type.ts";
import type { SignatureManifest } from "../trust/signature-search.ts";
import type { RecordedImage } from "./recorded-image.ts";

/** All documents and blobs of an image that is copied. */
export interface ImageContents {
  /** The document that the image's name leads to in the copy: a manifest, or the index of several. */
  readonly top: Descriptor;
  /** The image or artifact, if one platform is copied. */
  readonly image?: ResolvedImage;
  /** The bytes of manifests and indexes, by digest. */
  readonly documents: ReadonlyMap<Digest, Uint8Array>;
  readonly manifests: readonly Manifest[];
  /** The digests of the manifests, in their order. */
  readonly instances: readonly Digest[];
  /**
   * The layers, in the order of their manifests; then configurations, and whatever else an index lists. Each is there
   * once.
   */
  readonly blobs: readonly Descriptor[];
  /** How many of the blobs are layers. */
  readonly layerCount: number;
  /** The manifests with signatures of these; `documents` and `blobs` have what is in them. */
  readonly signatures?: readonly CopiedSignatures[];
}

/** A manifest with signatures, and the tag that it is found under, if it has one. */
export type CopiedSignatures = Pick<SignatureManifest, "descriptor" | "manifest" | "tag">;

/** As many as one index may list. */
const mostBlobs = 10_000;

/** The contents of an image for one platform, or of an artifact. */
export async function oneImage(source: RecordedImage, options: ResolveOptions): Promise<ImageContents> {
  const found = await resolveAny(source, options);
  const { digest, manifest, manifests } = found.kind === "image" ? found.image : found.artifact;
  const entry = manifests.find((each) => each.digest === digest);
  const bytes = source.bytesOf(digest, entry?.data);
  const top = { mediaType: manifest.mediaType, digest, sizeBytes: bytes.length };
  const documents = new Map([[digest, bytes]]);
  return {
    top,
    image: found.kind === "image" ? found.image : resolvedArtifact(found.artifact),
    documents,
    manifests: [manifest],
    instances: [digest],
    ...blobsOf([manifest], []),
  };
}

/**
 * The contents of an image for all platforms, with whatever else its index lists, such as attestations and artifacts.
 */
export async function wholeImage(source: RecordedImage, options: ResolveOptions): Promise<ImageContents> {
  const limits = settleLimits(options.limits);
  const { signal, onEvent } = options;
  const fetchOptions: FetchOptions = present({ signal, onEvent });
  const collection = new ContentsCollector(source, new ImageDocuments(source, limits, fetchOptions), limits);
  return await collection.collected();
}

/** Collects all that an index leads to. */
class ContentsCollector {
  readonly #source: RecordedImage;
  readonly #documents: ImageDocuments;
  readonly #limits: Limits;
  readonly #found = new Map<Digest, Uint8Array>();
  readonly #manifests: Manifest[] = [];
  readonly #instances: Digest[] = [];
  readonly #others: Descriptor[] = [];

  constructor(source: RecordedImage, documents: ImageDocuments, limits: Limits) {
    this.#source = source;
    this.#documents = documents;
    this.#limits = limits;
  }

  async collected(): Promise<ImageContents> {
    const { digest, document } = await this.#documents.named();
    await this.#take(digest, document, undefined, 0);
    const top = { mediaType: document.mediaType, digest, sizeBytes: this.#found.get(digest)?.length ?? 0 };
    const { blobs, layerCount } = blobsOf(this.#manifests, this.#others);
    this.#checkSize(blobs);
    const [manifests, instances] = [this.#manifests, this.#instances];
    return { top, documents: this.#found, manifests, instances, blobs, layerCount };
  }

  async #take(
    digest: Digest,
    document: ImageIndex | Manifest,
    inline: Uint8Array | undefined,
    depth: number,
  ): Promise<void> {
    if (depth > this.#limits.indexDepth)
      throw refused(`indexes lead to indexes more than ${this.#limits.indexDepth} deep`);
    this.#found.set(digest, this.#source.bytesOf(digest, inline));
    if (document.kind === "manifest") {
      this.#manifests.push(document);
      this.#instances.push(digest);
      return;
    }
    for (const entry of document.manifests) {
      if (this.#found.has(entry.digest)) continue;
      const kind = documentKind(entry.mediaType);
      if (kind !== "manifest" && kind !== "index") {
        this.#others.push(entry);
        continue;
      }
      const described = await this.#documents.described(entry);
      await this.#take(entry.digest, described.document, entry.data, depth + 1);
    }
  }

  #checkSize(blobs: readonly Descriptor[]): void {
    if (blobs.length > mostBlobs) throw refused(`it has ${blobs.length} blobs, ${mostBlobs} are allowed`);
    const bytes = blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const allowed = this.#limits.downloadBytes;
    if (bytes > allowed) throw refused(`it has ${bytes} bytes, ${allowed} are allowed (downloadBytes)`);
  }
}

function blobsOf(
  manifests: readonly Manifest[],
  others: readonly Descriptor[],
): Pick<ImageContents, "blobs" | "layerCount"> {
  const layers = uniqueBlobs(manifests.flatMap((manifest) => manifest.layers));
  const blobs = uniqueBlobs([...layers, ...manifests.map(({ config }) => config), ...others]);
  for (const blob of blobs) inlineContent(blob);
  return { blobs, layerCount: layers.length };
}

/** The contents with more blobs, which are no layers. */
export function withBlobs(contents: ImageContents, more: readonly Descriptor[]): ImageContents {
  for (const blob of more) inlineContent(blob);
  return { ...contents, blobs: uniqueBlobs([...contents.blobs, ...more]) };
}

function uniqueBlobs(blobs: readonly Descriptor[]): readonly Descriptor[] {
  return [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
}

function refused(found: string): OciUnpackError {
  return new OciUnpackError("LIMIT_EXCEEDED", `cannot copy the image: ${found}`);
}
