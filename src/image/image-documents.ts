import { limitExceeded, OciUnpackError } from "../base/errors.ts";
import type { FetchOptions } from "../base/events.ts";
import type { Limits } from "../base/limits.ts";
import { MemoryBudget } from "../base/memory-budget.ts";
import { present } from "../base/present.ts";
import type { Document, ImageSource } from "../blob/image-source.ts";
import { documentFrom } from "../blob/source-document.ts";
import { wholeVerified } from "../blob/verified.ts";
import { type ImageConfig, parseConfig } from "../oci/config.ts";
import { type Descriptor, inlineContent, verifyBytes, verifyDigest } from "../oci/descriptor.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import { type ImageIndex, type Manifest, parseDocument } from "../oci/document.ts";

/** A manifest or index, verified and parsed. */
interface ReadDocument {
  readonly digest: Digest;
  readonly document: ImageIndex | Manifest;
  readonly bytes: Uint8Array;
}

/** A config, verified and parsed. */
export interface ReadConfig {
  readonly config: ImageConfig;
  readonly bytes: Uint8Array;
}

/** How many manifests one image may lead to: more than any index with platforms and attestations has. */
const mostManifests = 64;

/** How many bytes of memory a byte of a parsed document takes: measured 2.5 with the shortest descriptors, Node 20. */
const bytesForEach = 3;

/**
 * Fetches the documents of one image and verifies them: each is within its limit, has its size and digest, and is of
 * its stated type.
 */
export class ImageDocuments {
  readonly #image: ImageSource;
  readonly #limits: Limits;
  readonly #options: FetchOptions;
  readonly #memory: MemoryBudget;
  #manifests = 0;

  constructor(image: ImageSource, limits: Limits, options: FetchOptions) {
    this.#image = image;
    this.#limits = limits;
    this.#memory = new MemoryBudget(limits);
    this.#options = options;
  }

  /** The manifest or index of the image's name. */
  async named(): Promise<ReadDocument> {
    this.#count();
    const { mediaType, bytes } = await this.#fetch(undefined);
    this.#remember(bytes);
    const { digest } = this.#image;
    if (digest !== undefined) verifyDigest(digest, bytes);
    return { digest: digest ?? digestOf(bytes), document: parseDocument(bytes, { contentType: mediaType }), bytes };
  }

  /** The manifest or index that an index lists. */
  async described(descriptor: Descriptor): Promise<ReadDocument> {
    this.#refuseAbove("manifestBytes", descriptor.sizeBytes, descriptor.digest);
    this.#count();
    const inline = inlineContent(descriptor);
    const { mediaType, bytes } = inline ? { mediaType: "", bytes: inline } : await this.#fetch(descriptor);
    verifyBytes(descriptor, bytes);
    this.#remember(bytes);
    const claims = { contentType: mediaType, descriptorType: descriptor.mediaType };
    return { digest: descriptor.digest, document: parseDocument(bytes, claims), bytes };
  }

  async config(descriptor: Descriptor): Promise<ReadConfig> {
    const bytes = await this.configBytes(descriptor);
    return { config: parseConfig(bytes), bytes };
  }

  /** A config that is not parsed, because it is an artifact's. */
  async configBytes(descriptor: Descriptor): Promise<Uint8Array> {
    this.#refuseAbove("configBytes", descriptor.sizeBytes, descriptor.digest);
    return inlineContent(descriptor) ?? (await wholeVerified(descriptor, this.#image.blob(descriptor, this.#options)));
  }

  #remember(bytes: Uint8Array): void {
    this.#memory.spend(bytesForEach * bytes.length, "manifests");
  }

  /** Counts manifests and indexes, also those that are in an index themselves: they may be nested. */
  #count(): void {
    this.#manifests++;
    if (this.#manifests <= mostManifests) return;
    throw new OciUnpackError(
      "LIMIT_EXCEEDED",
      `cannot resolve "${this.#image.name}": it leads to more than ${mostManifests} manifests`,
    );
  }

  async #fetch(descriptor: Descriptor | undefined): Promise<Document> {
    const document = await documentFrom(this.#image, descriptor, this.#options);
    this.#refuseAbove("manifestBytes", document.bytes.length, descriptor?.digest);
    return document;
  }

  #refuseAbove(limit: "manifestBytes" | "configBytes", sizeBytes: number, digest: Digest | undefined): void {
    const allowed = this.#limits[limit];
    if (sizeBytes <= allowed) return;
    const name = digest ?? this.#image.name;
    const message = `cannot read "${name}": it has ${sizeBytes} bytes, ${allowed} are allowed (${limit})`;
    throw limitExceeded(message, limit, { allowed, ...present({ digest }) });
  }
}
