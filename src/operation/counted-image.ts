import type { EventListener, FetchOptions } from "../base/events.ts";
import type { BlobOptions, Document } from "../blob/image-source.ts";
import { WrappedImage } from "../blob/wrapped-image.ts";
import type { Descriptor } from "../oci/descriptor.ts";

/** Counts the bytes that an image's source gives, without blobs that come from a store. */
export class CountedImage extends WrappedImage {
  #bytes = 0;

  /** The bytes so far, of documents and blobs together. Those of a blob count when it is no longer read. */
  get bytes(): number {
    return this.#bytes;
  }

  override async manifest(descriptor?: Descriptor, options?: FetchOptions): Promise<Document> {
    const document = await super.manifest(descriptor, options);
    this.#bytes += document.bytes.length;
    return document;
  }

  override async *blob(descriptor: Descriptor, options: BlobOptions = {}): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    let storedBytes = 0;
    const onEvent: EventListener = (event) => {
      if (event.type === "stored") storedBytes = event.bytes;
      options.onEvent?.(event);
    };
    try {
      for await (const chunk of super.blob(descriptor, { ...options, onEvent })) {
        bytes += chunk.length;
        yield chunk;
      }
    } finally {
      this.#bytes += Math.max(0, bytes - storedBytes);
    }
  }
}
