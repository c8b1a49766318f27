import { OciUnpackError } from "../base/errors.ts";
import type { FetchOptions } from "../base/events.ts";
import { present } from "../base/present.ts";
import type { Document, ImageAttachments, SignatureFile } from "../blob/image-source.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, digestOf, referrersTag } from "../oci/digest.ts";
import type { Manifest } from "../oci/document.ts";
import { mediaTypes } from "../oci/media-type.ts";
import { attachmentName } from "./attachment-names.ts";
import type { BlobStore } from "./blob-store.ts";
import type { StoreInUse, StoreUse } from "./store-use.ts";
import { storedDocument, usableDocument } from "./stored-documents.ts";
import { readNames, recordName } from "./stored-index.ts";

/**
 * What is stored beside an image, by way of a store: what was asked for once is kept under the tags that stand for it
 * (distribution-spec, "Referrers Tag Schema"; `.sig` and `.att` as cosign has them), and found there offline.
 */
export class StoredAttachments implements ImageAttachments {
  readonly isOffline: boolean;
  readonly #name: string;
  readonly #attachments: ImageAttachments;
  readonly #store: StoreInUse;
  /** What each manifest refers to that was listed. */
  readonly #listed = new Map<Digest, Digest>();
  readonly #layers = new Set<Digest>();

  constructor(name: string, attachments: ImageAttachments, use: StoreUse) {
    this.isOffline = use.isOffline;
    this.#name = name;
    this.#attachments = attachments;
    this.#store = use.open;
  }

  async tagged(tag: string, options: FetchOptions = {}): Promise<Document | undefined> {
    const store = await this.#store(options);
    const document = this.isOffline
      ? await this.#stored(store, tag, options)
      : await this.#attachments.tagged?.(tag, options);
    if (document !== undefined) await this.#note(store, tag, document, options);
    return document;
  }

  async referrers(digest: Digest, options: FetchOptions = {}): Promise<readonly Descriptor[]> {
    const store = await this.#store(options);
    const listed = this.isOffline
      ? await this.#storedReferrers(store, digest, options)
      : ((await this.#attachments.referrers?.(digest, options)) ?? []);
    for (const descriptor of listed) this.#listed.set(descriptor.digest, digest);
    return listed;
  }

  async signatureFiles(digest: Digest, options: FetchOptions = {}): Promise<readonly SignatureFile[]> {
    return this.isOffline ? [] : ((await this.#attachments.signatureFiles?.(digest, options)) ?? []);
  }

  /** Whether a manifest was listed as one that refers to the image. */
  hasListed(digest: Digest): boolean {
    return this.#listed.has(digest);
  }

  /** Whether a blob is a layer of something that is stored beside the image. */
  hasLayer(digest: Digest): boolean {
    return this.#layers.has(digest);
  }

  /** Keeps a manifest that was listed: the store lists it from now on. */
  async arrived(store: BlobStore, descriptor: Descriptor, manifest: Manifest, options: FetchOptions): Promise<void> {
    for (const { digest } of manifest.layers) this.#layers.add(digest);
    const subject = this.#listed.get(descriptor.digest);
    if (subject === undefined || this.isOffline) return;
    const before = await this.#storedReferrers(store, subject, options);
    if (before.some(({ digest }) => digest === descriptor.digest)) return;
    const bytes = Buffer.from(JSON.stringify(listOf([...before, descriptor])));
    await this.#record(store, referrersTag(subject), { mediaType: mediaTypes.ociIndex, bytes }, options);
  }

  async #stored(store: BlobStore, tag: string, { signal }: FetchOptions): Promise<Document | undefined> {
    const wanted = attachmentName(this.#name, tag);
    const descriptor = (await readNames(store)).find(({ name }) => name === wanted)?.descriptor;
    const bytes = descriptor && (await storedDocument(store, descriptor.digest, signal));
    return bytes && { mediaType: descriptor?.mediaType ?? "", bytes };
  }

  async #storedReferrers(store: BlobStore, digest: Digest, options: FetchOptions): Promise<readonly Descriptor[]> {
    const document = await this.#stored(store, referrersTag(digest), options);
    const list = document && usableDocument(document);
    return list?.kind === "index" ? list.manifests : [];
  }

  /** Keeps the document of a tag, unless it is none that can be used; whoever asked for it says what is wrong. */
  async #note(store: BlobStore, tag: string, document: Document, options: FetchOptions): Promise<void> {
    const manifest = usableDocument(document);
    if (manifest?.kind !== "manifest") return;
    for (const { digest } of manifest.layers) this.#layers.add(digest);
    if (!this.isOffline) await this.#record(store, tag, { ...document, mediaType: manifest.mediaType }, options);
  }

  async #record(store: BlobStore, tag: string, { mediaType, bytes }: Document, options: FetchOptions): Promise<void> {
    const descriptor = { mediaType, digest: digestOf(bytes), sizeBytes: bytes.length };
    await store.put(descriptor, bytes);
    await recordName(store, attachmentName(this.#name, tag), descriptor, options.signal);
  }
}

/** An index of what refers to an image. */
function listOf(descriptors: readonly Descriptor[]): object {
  const manifests = descriptors.map(({ mediaType, digest, sizeBytes: size, artifactType }) => {
    return present({ mediaType, digest, size, artifactType });
  });
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
}

/** The error for a signature or attestation of which the store has the manifest and not the content. */
export function attachmentMissing(store: BlobStore, digest: Digest, name: string): OciUnpackError {
  const found = `the store "${store.directory}" does not have it`;
  return new OciUnpackError("SIGNATURE_MISSING", `cannot read the signature ${digest} of "${name}" offline: ${found}`, {
    hint: "demand the same once without `offline`",
    details: { digest },
  });
}
