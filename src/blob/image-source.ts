import type { FetchOptions } from "../base/events.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { Reference } from "../oci/reference.ts";

/** A manifest or index as the source returned it, not verified or parsed. */
export interface Document {
  /** In lower case, without parameters. Empty if the source does not state it. */
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** Options of a request for a blob. */
export interface BlobOptions extends FetchOptions {
  /** The first byte to return; the caller has the bytes before it. Default: 0. */
  readonly offset?: number;
  /**
   * How many bytes from there on the caller needs. It verifies them itself: they are not verified with the rest of the
   * blob. A registry is asked for these alone, and where it does not send exactly these, that is an error: the blob has
   * to be asked for as a whole. Other sources may give more. Default: all.
   */
  readonly length?: number;
  /**
   * Whether the caller needs a chunk only until it requests the next one, so that the source may use its memory again.
   * Default: false.
   */
  readonly lends?: boolean;
}

/**
 * Where images come from: a registry, a layout on disk, an archive. It holds what its images share, such as
 * connections.
 */
export interface Source extends AsyncDisposable {
  /** The image of a name, in this source's syntax. Nothing is requested or read. Throws `INVALID_REFERENCE`. */
  image(name: string): ImageSource;
}

/** One image of a source: its manifests and its blobs can be fetched. */
export interface ImageSource {
  /** The canonical name: for a registry `host/path:tag@digest`. */
  readonly name: string;
  /** The digest of the manifest or index, if the name states it. */
  readonly digest?: Digest;
  /**
   * How many blobs should be fetched at a time, if more are not faster. Files on this machine are read one after the
   * other, so that none has to wait in memory for its turn. Default: as many as `limits.parallelDownloads` allows.
   */
  readonly parallelBlobs?: number;
  /**
   * Fetches a manifest or index: that of the image's name, or the one that `descriptor` describes.
   *
   * The bytes are complete, and no more than `limits.manifestBytes`. If the name or the descriptor states a digest,
   * they have it.
   */
  manifest(descriptor?: Descriptor, options?: FetchOptions): Promise<Document>;
  /**
   * The bytes of a blob in order, from `offset` to the last one, also if connections break meanwhile.
   *
   * They are not verified, except that there are not more than the descriptor says. Ending the iteration early closes
   * the connection. A chunk belongs to the caller: it is never written to again, unless the caller says with `lends` that it may be.
   */
  blob(descriptor: Descriptor, options?: BlobOptions): AsyncIterable<Uint8Array>;
  /**
   * How many more hosts may have a blob if the bytes of the first one are wrong: mirrors are not trusted. A caller that
   * got wrong bytes from `blob` calls it again and gets them from the next host; then there is one host less.
   *
   * It is known when the manifest has been fetched. Default: none.
   */
  alternatives?(descriptor: Descriptor): number;
  /** What is stored beside the image, such as signatures. Absent if the source can have nothing there. */
  readonly attachments?: ImageAttachments;
  /** Where the image is, for policies. Absent if the source is of none of these kinds: then no policy can allow it. */
  readonly location?: ImagePlace;
}

/** An image that says where it is. */
export type PlacedImage = Required<Pick<ImageSource, "name" | "location">>;

/** Where an image is, with podman's and skopeo's word for the kind of place (containers-transports(5)). */
export type ImagePlace =
  | { readonly transport: "docker"; readonly reference: Reference }
  /** In an engine; without a reference if it was named by its ID. */
  | { readonly transport: "docker-daemon"; readonly reference?: Reference }
  /** In files; without a path if they come from standard input. */
  | { readonly transport: "dir" | "oci" | "oci-archive"; readonly path?: string }
  | { readonly transport: "docker-archive" };

/** What is stored beside an image: signatures and attestations. Nothing of it is verified. */
export interface ImageAttachments {
  /** Whether only what was stored before is found: nobody else is asked. Default: false. */
  readonly isOffline?: boolean;
  /** The manifest of a tag in the image's repository; `undefined` if there is no such tag. */
  tagged?(tag: string, options?: FetchOptions): Promise<Document | undefined>;
  /**
   * The manifests that refer to a manifest or index (distribution-spec, "Listing Referrers"). A listing is a hint: the
   * manifests themselves say what they refer to.
   */
  referrers?(digest: Digest, options?: FetchOptions): Promise<readonly Descriptor[]>;
  /** The files with signatures of a manifest or index. */
  signatureFiles?(digest: Digest, options?: FetchOptions): Promise<readonly SignatureFile[]>;
}

/** A file with a signature, of whatever format. */
export interface SignatureFile {
  /** For error messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The chunks without their first `count` bytes. */
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
