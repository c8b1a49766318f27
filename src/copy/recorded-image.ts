import type { FetchOptions } from "../base/events.ts";
import type { Document } from "../blob/image-source.ts";
import { WrappedImage } from "../blob/wrapped-image.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, digestOf } from "../oci/digest.ts";

/** Keeps the documents that an image's source gives, so that a copy has the same bytes and the same digests. */
export class RecordedImage extends WrappedImage {
  readonly #documents = new Map<Digest, Uint8Array>();

  override async manifest(descriptor?: Descriptor, options?: FetchOptions): Promise<Document> {
    const document = await super.manifest(descriptor, options);
    this.#documents.set(descriptor?.digest ?? this.digest ?? digestOf(document.bytes), document.bytes);
    return document;
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
