import { limitExceeded, OciUnpackError } from "../base/errors.ts";
import type { FetchOptions } from "../base/events.ts";
import type { Limits } from "../base/limits.ts";
import type { Document, ImageSource } from "../blob/image-source.ts";
import { wholeVerified } from "../blob/verified.ts";
import { type Descriptor, verifyBytes } from "../oci/descriptor.ts";
import { type Digest, digestOf, referrersTag } from "../oci/digest.ts";
import { type Manifest, parseDocument } from "../oci/document.ts";
import { documentKind } from "../oci/media-type.ts";
import { bundleType } from "./bundle.ts";
import type { SignatureCandidate } from "./candidate.ts";
import { parseSignatureFile, simpleSigningType } from "./simple-signing.ts";

/** The media type of a layer that is an attestation, as cosign kept them before bundles. */
const envelopeType = "application/vnd.dsse.envelope.v1+json";

const notationType = "application/vnd.cncf.notary.signature";

/** What a listing may say of a bundle: its type, or nothing. cosign 2.5 lists the type of the empty config (V7). */
const unsaid: readonly (string | undefined)[] = [bundleType, undefined, "", "application/vnd.oci.empty.v1+json"];

/** Which of the older formats are looked for; a bundle can be either. */
export interface WantedFormats {
  readonly signatures: boolean;
  readonly attestations: boolean;
}

/** A manifest whose layers are signatures or attestations. */
export interface SignatureManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
  /** The tag that it is found under; one that refers to what it is about has none. */
  readonly tag?: string;
}

/** A layer that is a signature or attestation, and its bytes. */
interface StoredLayer {
  readonly layer: Descriptor;
  readonly bytes: Uint8Array;
}

/** Finds what is stored as signatures of the manifests and indexes of one image. Nothing of it is believed. */
export class SignatureSearch {
  readonly #source: ImageSource;
  readonly #limits: Limits;
  readonly #options: FetchOptions;
  readonly #others = new Set<string>();

  constructor(source: ImageSource, limits: Limits, options: FetchOptions) {
    this.#source = source;
    this.#limits = limits;
    this.#options = options;
  }

  /** Whether the source can have signatures at all. */
  get isPossible(): boolean {
    return this.#source.attachments !== undefined;
  }

  /** Whether only a store is asked, and nobody else. */
  get isOffline(): boolean {
    return this.#source.attachments?.isOffline === true;
  }

  /** The formats of signatures that were found and are not supported. */
  get otherFormats(): readonly string[] {
    return [...this.#others];
  }

  /**
   * The candidates for one manifest or index: bundles, then what is wanted of the older formats (V8). Each is fetched when
   * it is asked for, so that a good one ends the search.
   */
  async *of(subject: Digest, wanted: WantedFormats): AsyncGenerator<SignatureCandidate> {
    yield* this.#bundles(subject);
    if (wanted.attestations) yield* this.#attestations(subject);
    if (!wanted.signatures) return;
    yield* this.#simpleSignings(subject);
    yield* this.#files(subject);
  }

  /** The manifests that have them, of all formats: of what is in these, nothing is fetched. */
  async *manifestsOf(subject: Digest): AsyncGenerator<SignatureManifest> {
    yield* this.#bundleManifests(subject);
    for (const suffix of [".att", ".sig"] as const) {
      const found = await this.#taggedManifest(subject, suffix);
      if (found === undefined) continue;
      const { config, layers } = found.manifest;
      this.#refuseMany(subject, layers);
      for (const blob of [config, ...layers]) this.#refuseLarge(blob);
      yield found;
    }
  }

  async *#bundles(subject: Digest): AsyncGenerator<SignatureCandidate> {
    for await (const { descriptor, manifest } of this.#bundleManifests(subject)) {
      for (const layer of manifest.layers)
        yield { format: "bundle", subject, digest: descriptor.digest, bundle: await this.#collected(layer) };
    }
  }

  async *#bundleManifests(subject: Digest): AsyncGenerator<SignatureManifest> {
    const listed = (await this.#source.attachments?.referrers?.(subject, this.#options)) ?? [];
    for (const { artifactType = "" } of listed) if (artifactType === notationType) this.#others.add("notation");
    const possible = listed.filter(
      ({ mediaType, artifactType }) => documentKind(mediaType) === "manifest" && unsaid.includes(artifactType),
    );
    this.#refuseAbove(
      "referrers",
      possible.length,
      `${subject} has ${possible.length} referrers that may be signatures`,
    );
    for (const descriptor of possible) {
      const document = await this.#referrer(descriptor);
      const manifest = asManifest(document);
      if (hasBundle(manifest, subject)) yield { descriptor, bytes: document.bytes, manifest };
    }
  }

  async *#simpleSignings(subject: Digest): AsyncGenerator<SignatureCandidate> {
    for await (const { layer, bytes: payload } of this.#tagged(subject, ".sig", simpleSigningType)) {
      yield { format: "simple-signing", subject, digest: layer.digest, payload, annotations: layer.annotations ?? {} };
    }
  }

  async *#attestations(subject: Digest): AsyncGenerator<SignatureCandidate> {
    for await (const { layer, bytes: envelope } of this.#tagged(subject, ".att", envelopeType)) {
      yield { format: "attestation", subject, digest: layer.digest, envelope, annotations: layer.annotations ?? {} };
    }
  }

  /** The layers of one type that the image has whose tag is made of the digest. */
  async *#tagged(subject: Digest, suffix: string, type: string): AsyncGenerator<StoredLayer> {
    const found = await this.#taggedManifest(subject, suffix);
    const layers = found?.manifest.layers.filter(({ mediaType }) => mediaType === type) ?? [];
    this.#refuseMany(subject, layers);
    for (const layer of layers) yield { layer, bytes: await this.#collected(layer) };
  }

  async #taggedManifest(subject: Digest, suffix: string): Promise<SignatureManifest | undefined> {
    const tag = `${referrersTag(subject)}${suffix}`;
    const document = await this.#source.attachments?.tagged?.(tag, this.#options);
    if (document === undefined) return undefined;
    const { bytes } = document;
    const manifest = asManifest(document);
    const descriptor = { mediaType: manifest.mediaType, digest: digestOf(bytes), sizeBytes: bytes.length };
    return { descriptor, bytes, manifest, tag };
  }

  /** In a directory, a signature is stored for the one manifest that is there; its payload says for which. */
  async *#files(subject: Digest): AsyncGenerator<SignatureCandidate> {
    for (const file of (await this.#source.attachments?.signatureFiles?.(subject, this.#options)) ?? []) {
      const signing = parseSignatureFile(file);
      if (typeof signing === "string") this.#others.add(signing);
      else yield { subject, digest: digestOf(signing.payload), ...signing };
    }
  }

  async #referrer(descriptor: Descriptor): Promise<Document> {
    this.#refuseAbove("manifestBytes", descriptor.sizeBytes, `${descriptor.digest} has ${descriptor.sizeBytes} bytes`);
    const document = await this.#source.manifest(descriptor, this.#options);
    verifyBytes(descriptor, document.bytes);
    return document;
  }

  /** A payload, or a bundle, as a whole. */
  async #collected(descriptor: Descriptor): Promise<Uint8Array> {
    this.#refuseLarge(descriptor);
    return await wholeVerified(descriptor, this.#source.blob(descriptor, this.#options));
  }

  #refuseMany(subject: Digest, { length }: readonly Descriptor[]): void {
    this.#refuseAbove("signatures", length, `${subject} has ${length} signatures`);
  }

  #refuseLarge({ digest, sizeBytes }: Descriptor): void {
    this.#refuseAbove("signatureBytes", sizeBytes, `${digest} has ${sizeBytes} bytes`);
  }

  #refuseAbove(limit: keyof Limits, count: number, found: string): void {
    const allowed = this.#limits[limit];
    if (count <= allowed) return;
    throw limitExceeded(`cannot look for signatures: ${found}, ${allowed} are allowed (${limit})`, limit, { allowed });
  }
}

function asManifest({ mediaType, bytes }: Document): Manifest {
  const document = parseDocument(bytes, { contentType: mediaType });
  if (document.kind === "manifest") return document;
  throw new OciUnpackError(
    "SIGNATURE_INVALID",
    "cannot read signatures: an index stands where a manifest with them should",
  );
}

/** Whether a manifest says itself that it has one bundle, and of what (V7): listings and annotations are hints. */
function hasBundle({ artifactType, config, subject, layers }: Manifest, of: Digest): boolean {
  const [layer, ...others] = layers;
  const type = artifactType ?? config.mediaType;
  if (subject?.digest !== of || type !== bundleType || others.length > 0) return false;
  return layer?.mediaType === bundleType;
}
