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

  async *#bundles(subject: Digest): AsyncGenerator<SignatureCandidate> {
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
      const manifest = await this.#manifest(descriptor);
      const layer = bundleLayer(manifest, subject);
      if (layer === undefined) continue;
      yield { format: "bundle", subject, digest: descriptor.digest, bundle: await this.#collected(layer) };
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
    const document = await this.#source.attachments?.tagged?.(`${referrersTag(subject)}${suffix}`, this.#options);
    if (document === undefined) return;
    const layers = asManifest(document).layers.filter(({ mediaType }) => mediaType === type);
    this.#refuseAbove("signatures", layers.length, `${subject} has ${layers.length} signatures`);
    for (const layer of layers) yield { layer, bytes: await this.#collected(layer) };
  }

  /** In a directory, a signature is stored for the one manifest that is there; its payload says for which. */
  async *#files(subject: Digest): AsyncGenerator<SignatureCandidate> {
    for (const file of (await this.#source.attachments?.signatureFiles?.(subject, this.#options)) ?? []) {
      const signing = parseSignatureFile(file);
      if (typeof signing === "string") this.#others.add(signing);
      else yield { subject, digest: digestOf(signing.payload), ...signing };
    }
  }

  async #manifest(descriptor: Descriptor): Promise<Manifest> {
    this.#refuseAbove("manifestBytes", descriptor.sizeBytes, `${descriptor.digest} has ${descriptor.sizeBytes} bytes`);
    const document = await this.#source.manifest(descriptor, this.#options);
    verifyBytes(descriptor, document.bytes);
    return asManifest(document);
  }

  /** A payload, or a bundle, as a whole. */
  async #collected(descriptor: Descriptor): Promise<Uint8Array> {
    this.#refuseAbove("signatureBytes", descriptor.sizeBytes, `${descriptor.digest} has ${descriptor.sizeBytes} bytes`);
    return await wholeVerified(descriptor, this.#source.blob(descriptor, this.#options));
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

/** The bundle of a manifest that says itself that it has one, and of what (V7): listings and annotations are hints. */
function bundleLayer({ artifactType, config, subject, layers }: Manifest, of: Digest): Descriptor | undefined {
  const [layer, ...others] = layers;
  const type = artifactType ?? config.mediaType;
  if (subject?.digest !== of || type !== bundleType || others.length > 0) return undefined;
  return layer?.mediaType === bundleType ? layer : undefined;
}
