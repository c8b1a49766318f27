import type { FetchOptions } from "../base/events.ts";
import type { BlobOptions, Document } from "../blob/image-source.ts";
import { WrappedImage } from "../blob/wrapped-image.ts";
import type { Descriptor } from "../oci/descriptor.ts";

/** Counts the bytes that an image's source gives. */
export class CountedImage extends WrappedImage {
  #bytes = 0;

  /** The bytes so far, of documents and blobs together. */
  get bytes(): number {
    return this.#bytes;
  }

  override async manifest(descriptor?: Descriptor, options?: FetchOptions): Promise<Document> {
    const document = await super.manifest(descriptor, options);
    this.#bytes += document.bytes.length;
    return document;
  }

  override async *blob(descriptor: Descriptor, options?: BlobOptions): AsyncGenerator<Uint8Array> {
    for await (const chunk of super.blob(descriptor, options)) {
      this.#bytes += chunk.length;
      yield chunk;
    }
  }
}
