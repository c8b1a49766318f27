import type { FetchOptions } from "../base/events.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { BlobOptions, Document, ImageAttachments, ImagePlace, ImageSource } from "./image-source.ts";
import { documentFrom } from "./source-document.ts";

/** An image that is what another one is: all is passed on. A class that extends this one says what is otherwise. */
export class WrappedImage implements ImageSource {
  readonly name: string;
  readonly digest?: Digest;
  readonly attachments?: ImageAttachments;
  readonly location?: ImagePlace;
  readonly parallelBlobs?: number;
  readonly #image: ImageSource;

  constructor(image: ImageSource) {
    this.name = image.name;
    if (image.digest !== undefined) this.digest = image.digest;
    if (image.attachments !== undefined) this.attachments = image.attachments;
    if (image.location !== undefined) this.location = image.location;
    if (image.parallelBlobs !== undefined) this.parallelBlobs = image.parallelBlobs;
    this.#image = image;
  }

  manifest(descriptor?: Descriptor, options?: FetchOptions): Promise<Document> {
    return documentFrom(this.#image, descriptor, options);
  }

  blob(descriptor: Descriptor, options?: BlobOptions): AsyncIterable<Uint8Array> {
    return this.#image.blob(descriptor, options);
  }

  alternatives(descriptor: Descriptor): number {
    return this.#image.alternatives?.(descriptor) ?? 0;
  }
}
