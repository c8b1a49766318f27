import type { FetchOptions } from "../base/events.ts";
import type { BlobOptions, Document, ImageAttachments, ImagePlace, ImageSource } from "../blob/image-source.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, digestOf } from "../oci/digest.ts";

/** Keeps the documents that an image's source gives, so that a copy has the same bytes and the same digests. */
export class RecordedImage implements ImageSource {
  readonly name: string;
  readonly digest?: Digest;
  readonly attachments?: ImageAttachments;
  readonly location?: ImagePlace;
  readonly parallelBlobs?: number;
  readonly #image: ImageSource;
  readonly #documents = new Map<Digest, Uint8Array>();

  constructor(image: ImageSource) {
    this.name = image.name;
    if (image.digest !== undefined) this.digest = image.digest;
    if (image.attachments !== undefined) this.attachments = image.attachments;
    if (image.location !== undefined) this.location = image.location;
    if (image.parallelBlobs !== undefined) this.parallelBlobs = image.parallelBlobs;
    this.#image = image;
  }

  async manifest(descriptor?: Descriptor, options?: FetchOptions): Promise<Document> {
    const document = await this.#image.manifest(descriptor, options);
    this.#documents.set(descriptor?.digest ?? this.digest ?? digestOf(document.bytes), document.bytes);
    return document;
  }

  blob(descriptor: Descriptor, options?: BlobOptions): AsyncIterable<Uint8Array> {
    return this.#image.blob(descriptor, options);
  }

  alternatives(descriptor: Descriptor): number {
    return this.#image.alternatives?.(descriptor) ?? 0;
  }

  /** The bytes of all documents that were fetched, by digest. */
  get documents(): ReadonlyMap<Digest, Uint8Array> {
    return this.#documents;
  }

  /** The bytes of a document that was fetched, or else `inline`: what a descriptor holds is never fetched. */
  bytesOf(digest: Digest, inline?: Uint8Array): Uint8Array {
    const bytes = this.#documents.get(digest) ?? inline;
    if (bytes === undefined) throw new RangeError(`nobody asked for ${digest}`);
    return bytes;
  }
}
