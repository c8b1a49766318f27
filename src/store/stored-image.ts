import type { FileHandle } from "node:fs/promises";
import { CallContext } from "../base/call-context.ts";
import { isOciUnpackError, OciUnpackError } from "../base/errors.ts";
import type { FetchOptions } from "../base/events.ts";
import {
  type BlobOptions,
  type Document,
  type ImagePlace,
  type ImageSource,
  skippingBytes,
} from "../blob/image-source.ts";
import { documentFrom } from "../blob/source-document.ts";
import { verified } from "../blob/verified.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import { type FileRange, readRange } from "../source/local/image-files.ts";
import { Completion } from "./arriving-image.ts";
import { repositoryOf } from "./attachment-names.ts";
import type { BlobStore } from "./blob-store.ts";
import { PartialBlob } from "./partial-blob.ts";
import type { StoreUse } from "./store-use.ts";
import { attachmentMissing, StoredAttachments } from "./stored-attachments.ts";
import { storedDocument, usableDocument } from "./stored-documents.ts";
import { knownNames, readNames, rememberedNames } from "./stored-index.ts";

/** An image of another source. What is fetched is stored, and what is stored is not fetched. */
export class StoredImage implements ImageSource {
  readonly name: string;
  readonly digest?: Digest;
  readonly attachments?: StoredAttachments;
  readonly location?: ImagePlace;
  readonly parallelBlobs?: number;
  /** The store that it is kept in. */
  readonly use: StoreUse;
  readonly #image: ImageSource;
  readonly #isOffline: boolean;
  readonly #completion: Completion;

  constructor(image: ImageSource, use: StoreUse) {
    const { isOffline } = use;
    this.use = use;
    this.name = image.name;
    if (image.digest !== undefined) this.digest = image.digest;
    if (image.attachments !== undefined) this.attachments = new StoredAttachments(image.name, image.attachments, use);
    if (image.location !== undefined) this.location = image.location;
    if (image.parallelBlobs !== undefined) this.parallelBlobs = image.parallelBlobs;
    this.#image = image;
    this.#isOffline = isOffline;
    this.#completion = new Completion(image.name);
  }

  async manifest(descriptor?: Descriptor, options: FetchOptions = {}): Promise<Document> {
    const store = await this.use.open(options);
    const document =
      descriptor === undefined ? await this.#named(store, options) : await this.#described(store, descriptor, options);
    await this.#keep(store, document, descriptor, options);
    return document;
  }

  async *blob(descriptor: Descriptor, options: BlobOptions = {}): AsyncGenerator<Uint8Array> {
    const store = await this.use.open(options);
    const range = await this.#storedRange(store, descriptor, options);
    if (range !== undefined) return yield* range;
    // Nobody can verify a part of a blob by itself, so it is not kept.
    if (isPart(descriptor, options) && !this.#isOffline) return yield* this.#image.blob(descriptor, options);
    yield* skippingBytes(options.offset ?? 0, this.#whole(store, descriptor, options));
    if (!this.#isOffline) await this.#completion.arrived(store, descriptor.digest, options.signal);
  }

  alternatives(descriptor: Descriptor): number {
    return this.#isOffline ? 0 : (this.#image.alternatives?.(descriptor) ?? 0);
  }

  /**
   * The document of the image's name. For a tag the other source is asked, because it may have changed, unless
   * offline.
   */
  async #named(store: BlobStore, options: FetchOptions): Promise<Document> {
    const digest = this.digest ?? (this.#isOffline ? await this.#recorded(store) : undefined);
    const bytes = digest && (await storedDocument(store, digest, options.signal));
    if (digest !== undefined && bytes !== undefined) {
      if (this.#isOffline) await store.touch(digest);
      return { mediaType: "", bytes };
    }
    if (this.#isOffline) throw await notStored(store, this.name);
    return await documentFrom(this.#image, undefined, options);
  }

  async #recorded(store: BlobStore): Promise<Digest | undefined> {
    return (await knownNames(store)).find(({ name }) => name === this.name)?.descriptor.digest;
  }

  /** The error for a part that is missing offline. What the name stood for before may still be there whole. */
  async #incomplete(store: BlobStore, { digest }: Descriptor): Promise<OciUnpackError> {
    const found = `the store "${store.directory}" does not have it, or not as it should be`;
    const before = await this.#wholeBefore(store);
    const hint = "do the same once without `offline`";
    return new OciUnpackError("NOT_FOUND", `cannot read blob ${digest} of "${this.name}" offline: ${found}`, {
      hint: before === undefined ? hint : `${hint}, or name what it was before, which is there: ${before}`,
      details: { digest },
    });
  }

  /** What the tag of a registry stood for before it was last asked for, if that is there whole. */
  async #wholeBefore(store: BlobStore): Promise<string | undefined> {
    if (this.digest !== undefined || this.location?.transport !== "docker") return undefined;
    if (!(await rememberedNames(store)).some(({ name }) => name === this.name)) return undefined;
    const before = (await readNames(store)).find(({ name }) => name === this.name);
    return before && `${repositoryOf(this.name)}@${before.descriptor.digest}`;
  }

  async #described(store: BlobStore, descriptor: Descriptor, options: FetchOptions): Promise<Document> {
    const bytes = await storedDocument(store, descriptor.digest, options.signal);
    if (bytes !== undefined) return { mediaType: descriptor.mediaType, bytes };
    if (this.#isOffline) throw await this.#incomplete(store, descriptor);
    return await documentFrom(this.#image, descriptor, options);
  }

  /** Stores a document, unless it is invalid; the caller reports what is wrong with it. */
  async #keep(
    store: BlobStore,
    { mediaType, bytes }: Document,
    described: Descriptor | undefined,
    options: FetchOptions,
  ): Promise<void> {
    const blob = { digest: digestOf(bytes), sizeBytes: bytes.length };
    if (blob.digest !== (described ?? this).digest && (described ?? this).digest !== undefined) return;
    const document = usableDocument({ mediaType, bytes }, described?.mediaType);
    if (document === undefined) return;
    if (!this.#isOffline) await store.put(blob, bytes);
    // What refers to the image is no part of it: the image is not complete by it.
    if (described !== undefined && this.attachments?.hasListed(blob.digest) === true) {
      if (document.kind === "manifest") await this.attachments.arrived(store, described, document, options);
    } else if (!this.#isOffline) {
      await this.#completion.add(store, { ...blob, mediaType }, document, described === undefined);
    }
  }

  async *#whole(store: BlobStore, descriptor: Descriptor, options: BlobOptions): AsyncGenerator<Uint8Array> {
    const before = await this.#stored(store, descriptor, options);
    if (before !== undefined) return yield* before;
    if (this.#isOffline) {
      const { digest } = descriptor;
      if (this.attachments?.hasLayer(digest) === true) throw attachmentMissing(store, digest, this.name);
      throw await this.#incomplete(store, descriptor);
    }
    await using part = await PartialBlob.open(store, descriptor.digest, options);
    // Another process may have fetched it meanwhile.
    const meanwhile = await this.#stored(store, descriptor, options);
    if (meanwhile !== undefined) {
      await part.discard();
      return yield* meanwhile;
    }
    if (part.sizeBytes > descriptor.sizeBytes) await part.clear();
    if (part.sizeBytes === 0) yield* this.#arriving(part, descriptor, options);
    else yield* await this.#completed(part, descriptor, options);
  }

  /** A part of a stored blob, if the caller needs no more. It is not verified. */
  async #storedRange(
    store: BlobStore,
    blob: Descriptor,
    { offset = 0, length, signal, onEvent }: BlobOptions,
  ): Promise<AsyncGenerator<Uint8Array> | undefined> {
    const file = length === undefined ? undefined : await store.openUnchecked(blob);
    if (file === undefined || length === undefined) return undefined;
    const { digest } = blob;
    const range = { offset, sizeBytes: Math.max(0, Math.min(length, blob.sizeBytes - offset)) };
    onEvent?.({ type: "stored", digest, bytes: range.sizeBytes });
    return readAndClose(file, range, digest, signal);
  }

  async #stored(
    store: BlobStore,
    blob: Descriptor,
    options: FetchOptions,
  ): Promise<AsyncGenerator<Uint8Array> | undefined> {
    const { signal } = options;
    signal?.throwIfAborted();
    const file = await store.open(blob, signal);
    if (file === undefined) return undefined;
    const { digest, sizeBytes } = blob;
    options.onEvent?.({ type: "stored", digest, bytes: sizeBytes });
    return readAndClose(file, { offset: 0, sizeBytes }, digest, signal);
  }

  /** Fetches a blob and yields its bytes as they come, so that unpacking need not wait. */
  async *#arriving(part: PartialBlob, blob: Descriptor, options: FetchOptions): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of verified(blob, this.#image.blob(blob, options))) {
        await part.append(chunk);
        yield chunk;
      }
    } catch (error) {
      if (isWrong(error)) await part.discard();
      throw error;
    }
    await part.publish();
  }

  /**
   * Fetches the rest of a blob that an earlier process began to fetch, verifies it, and only then returns its bytes. If
   * it is wrong, the blob is fetched again from the beginning.
   */
  async #completed(part: PartialBlob, blob: Descriptor, options: FetchOptions): Promise<AsyncGenerator<Uint8Array>> {
    const { digest } = blob;
    options.onEvent?.({ type: "stored", digest, bytes: part.sizeBytes });
    try {
      for await (const _chunk of verified(blob, this.#rest(part, blob, options)));
    } catch (error) {
      if (!isWrong(error)) throw error;
      new CallContext(options.signal, undefined, options.onEvent).decided(
        "store",
        `${digest} is fetched again: ${error.message}`,
      );
      options.onEvent?.({ type: "stored", digest, bytes: 0 });
      await part.clear();
      return this.#arriving(part, blob, options);
    }
    await part.publish();
    return part.read(options.signal);
  }

  async *#rest(part: PartialBlob, blob: Descriptor, options: FetchOptions): AsyncGenerator<Uint8Array> {
    const offset = part.sizeBytes;
    yield* part.read(options.signal);
    if (offset === blob.sizeBytes) return;
    for await (const chunk of this.#image.blob(blob, { ...options, offset })) {
      await part.append(chunk);
      yield chunk;
    }
  }
}

async function* readAndClose(
  file: FileHandle,
  range: FileRange,
  digest: Digest,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    yield* readRange(file, range, digest, signal);
  } finally {
    await file.close();
  }
}

function isPart({ sizeBytes }: Descriptor, { offset = 0, length = sizeBytes }: BlobOptions): boolean {
  return offset + length < sizeBytes;
}

/** The store that an image's source keeps it in; `undefined` where there is none. */
export function storeBehind(image: ImageSource): StoreUse | undefined {
  return image instanceof StoredImage ? image.use : undefined;
}

function isWrong(error: unknown): error is OciUnpackError {
  return isOciUnpackError(error, "DIGEST_MISMATCH", "SIZE_MISMATCH");
}

async function notStored(store: BlobStore, name: string): Promise<OciUnpackError> {
  const names = new Set((await knownNames(store)).flatMap((entry) => entry.name ?? []));
  return new OciUnpackError("NOT_FOUND", `cannot find "${name}" in the store "${store.directory}"`, {
    hint:
      names.size === 0
        ? "the store is empty: unpack the image once without `offline`"
        : `unpack it once without \`offline\`, or choose one of ${[...names].slice(0, 10).join(", ")}`,
  });
}
