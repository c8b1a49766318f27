import { Buffer } from "node:buffer";
import { OciUnpackError } from "../../src/base/errors.ts";
import type { BlobOptions, Document, ImageSource, Source } from "../../src/blob/image-source.ts";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import { type Digest, digestOf } from "../../src/oci/digest.ts";

/** A descriptor as it stands in JSON. */
export interface WrittenDescriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** Text or bytes as they are; anything else as JSON. */
export type Content = string | Uint8Array | object;

/**
 * A source whose images are whatever a test puts into it, right or wrong, and which remembers what it was asked for.
 *
 * It verifies nothing, as the contract allows for blobs and as a broken source would for manifests.
 */
export class MemorySource implements Source {
  /** What was fetched, in order: media types for manifests and blobs, the name for what a name stands for. */
  readonly fetched: string[] = [];
  isDisposed = false;
  readonly #contents = new Map<Digest, Uint8Array>();
  readonly #contentTypes = new Map<Digest, string>();
  readonly #names = new Map<string, { readonly document: Document; readonly digest?: Digest }>();

  /** Stores content and describes it. */
  add(mediaType: string, content: Content): WrittenDescriptor {
    const bytes = bytesOf(content);
    const digest = digestOf(bytes);
    this.#contents.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  /** Lets a descriptor lead to other bytes than it describes. */
  corrupt(descriptor: WrittenDescriptor, content: Content): void {
    this.#contents.set(descriptor.digest, bytesOf(content));
  }

  /** Answers for that document with another Content-Type than its descriptor states. */
  serveAs(descriptor: WrittenDescriptor, contentType: string): void {
    this.#contentTypes.set(descriptor.digest, contentType);
  }

  /** Gives content a name; with a digest, a name that states it. */
  name(name: string, contentType: string, content: Content, digest?: Digest): void {
    const document = { mediaType: contentType, bytes: bytesOf(content) };
    this.#names.set(name, digest === undefined ? { document } : { document, digest });
  }

  image(name: string): ImageSource {
    const named = this.#names.get(name);
    if (named === undefined) throw new OciUnpackError("NOT_FOUND", `cannot find "${name}": nobody put it there`);
    return {
      name,
      ...(named.digest && { digest: named.digest }),
      manifest: async (descriptor, options) => {
        options?.signal?.throwIfAborted();
        this.fetched.push(descriptor?.mediaType ?? name);
        return descriptor === undefined ? named.document : this.#document(descriptor);
      },
      blob: (descriptor, options) => this.#blob(descriptor, options),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isDisposed = true;
  }

  #document(descriptor: Descriptor): Document {
    const mediaType = this.#contentTypes.get(descriptor.digest) ?? descriptor.mediaType;
    return { mediaType, bytes: this.#content(descriptor) };
  }

  async *#blob(descriptor: Descriptor, options: BlobOptions = {}): AsyncGenerator<Uint8Array> {
    this.fetched.push(descriptor.mediaType);
    const bytes = this.#content(descriptor);
    for (let start = options.offset ?? 0; start < bytes.length; start += chunkBytes) {
      options.signal?.throwIfAborted();
      yield bytes.slice(start, start + chunkBytes);
    }
  }

  #content({ digest }: Descriptor): Uint8Array {
    const bytes = this.#contents.get(digest);
    if (bytes === undefined) throw new OciUnpackError("NOT_FOUND", `cannot find ${digest}: nobody put it there`);
    return bytes;
  }
}

const chunkBytes = 100;

function bytesOf(content: Content): Uint8Array {
  if (content instanceof Uint8Array) return content;
  return Buffer.from(typeof content === "string" ? content : JSON.stringify(content));
}
