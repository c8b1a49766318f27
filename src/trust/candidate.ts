import { isOciUnpackError } from "../base/errors.ts";
import type { Digest } from "../oci/digest.ts";

/** The annotations of a layer or of a signature file: hints, and what comes with a signature. */
export type SignatureAnnotations = Readonly<Record<string, string>>;

/** A payload that names an image, with its signature in the annotations. */
export interface SimpleSigning {
  readonly format: "simple-signing";
  readonly payload: Uint8Array;
  readonly annotations: SignatureAnnotations;
}

/** A bundle (sigstore_bundle.proto) as JSON. */
export interface SignatureBundle {
  readonly format: "bundle";
  readonly bundle: Uint8Array;
}

/** An envelope with a statement, as cosign kept attestations before bundles: what comes with it is in the annotations. */
export interface OlderAttestation {
  readonly format: "attestation";
  readonly envelope: Uint8Array;
  readonly annotations: SignatureAnnotations;
}

/** Something that is stored as a signature or attestation of an image. Nothing of it is verified. */
export type SignatureCandidate = {
  /** The manifest or index that it is stored for. */
  readonly subject: Digest;
  /** The digest of what was found: of a payload or envelope, or of the manifest that has a bundle. */
  readonly digest: Digest;
} & (SimpleSigning | SignatureBundle | OlderAttestation);

/** What a signature or attestation can be stored as. */
export type SignatureFormat = SignatureCandidate["format"];

/** Why a candidate is not what is demanded, in words. */
export class NotSigned extends Error {}

/** It was signed, and by somebody else than who is demanded: whoever it was. */
export class OtherIdentity extends NotSigned {}

/** Who is demanded signed it; another image, under another name, or something else than what is wanted. */
export class OtherContent extends NotSigned {}

/** Who is demanded signed it, and states something else. */
export class OtherStatement extends OtherContent {}

/** Why a candidate failed; throws what is no verdict about it. */
export function failureOf(error: unknown): NotSigned {
  if (error instanceof NotSigned) return error;
  if (isOciUnpackError(error, "SIGNATURE_INVALID")) return new NotSigned(error.message, { cause: error });
  throw error;
}
