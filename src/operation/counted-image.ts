import type { FetchOptions } from "../base/events.ts";
import type { BlobOptions, Document, ImageAttachments, ImagePlace, ImageSource } from "../blob/image-source.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";

/** Counts the bytes that an image's source gives. */
export class CountedImage implements ImageSource {
  readonly name: string;
  readonly digest?: Digest;
  readonly attachments?: ImageAttachments;
  readonly location?: ImagePlace;
  readonly #image: ImageSource;
  #bytes = 0;

  constructor(image: ImageSource) {
    this.name = image.name;
    if (image.digest !== undefined) this.digest = image.digest;
    if (image.attachments !== undefined) this.attachments = image.attachments;
    if (image.location !== undefined) this.location = image.location;
    this.#image = image;
  }

  /** The bytes so far, of documents and blobs together. */
  get bytes(): number {
    return this.#bytes;
  }

  async manifest(descriptor?: Descriptor, options?: FetchOptions): Promise<Document> {
    const document = await this.#image.manifest(descriptor, options);
    this.#bytes += document.bytes.length;
    return document;
  }

  alternatives(descriptor: Descriptor): number {
    return this.#image.alternatives?.(descriptor) ?? 0;
  }

  async *blob(descriptor: Descriptor, options?: BlobOptions): AsyncGenerator<Uint8Array> {
    for await (const chunk of this.#image.blob(descriptor, options)) {
      this.#bytes += chunk.length;
      yield chunk;
    }
  }
}
