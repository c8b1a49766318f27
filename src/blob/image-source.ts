import type { FetchOptions } from "../base/events.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";

/** A manifest or index as it came, before anyone believed it. */
export interface Document {
  /** Without parameters, lower case; empty where the source did not say. */
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** What a request for a blob is given. */
export interface BlobOptions extends FetchOptions {
  /** The byte to begin with, for whoever has those before it. Default: 0. */
  readonly offset?: number;
}

/** Where images come from: a registry, a layout on disk, an archive. Holds what may be shared between images. */
export interface Source extends AsyncDisposable {
  /** Binds a name, in this source's own grammar, without contacting anyone. Throws `INVALID_REFERENCE`. */
  image(name: string): ImageSource;
}

/** One image of a source: the two things that can be asked of it. */
export interface ImageSource {
  /** The canonical, printable name: for a registry `host/path:tag@digest`. */
  readonly name: string;
  /** The digest of what the name stands for, where the name states it. */
  readonly digest?: Digest;
  /**
   * How many blobs are to be asked for at a time, where more gain nothing: what is on this machine comes as fast one
   * after the other, and then none has to wait in memory for its turn. Default: as many as `limits.parallelDownloads`
   * allows.
   */
  readonly parallelBlobs?: number;
  /**
   * Fetches a manifest or index: the one that the name stands for, or the one that `descriptor` describes.
   *
   * The bytes are complete and within `limits.manifestBytes`; where a digest was known (from the name or the
   * descriptor) they match it.
   */
  manifest(descriptor?: Descriptor, options?: FetchOptions): Promise<Document>;
  /**
   * The bytes of a blob, in order, from `offset` to the last, whatever happens to connections in between.
   *
   * Nothing is verified here but that the length does not exceed the descriptor's size. Ending the iteration early
   * closes the connection. A chunk belongs to whoever asked for it: it is never written to again.
   */
  blob(descriptor: Descriptor, options?: BlobOptions): AsyncIterable<Uint8Array>;
  /**
   * How many further places have a blob, should the bytes of the first be wrong: mirrors are not to be trusted. Whoever
   * got a wrong one from `blob` asks again, and gets it from the next place; there is one less then.
   *
   * Known once the manifest has come. Default: none.
   */
  alternatives?(descriptor: Descriptor): number;
}

/** All but the first `count` bytes. */
export async function* skippingBytes(
  count: number,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let remaining = count;
  for await (const chunk of chunks) {
    const skipped = Math.min(remaining, chunk.length);
    remaining -= skipped;
    if (skipped < chunk.length) yield chunk.subarray(skipped);
  }
}
