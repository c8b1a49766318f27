import { isOciUnpackError } from "../base/errors.ts";
import { type Digest, encodedOf } from "../oci/digest.ts";
import { parseBundle } from "./bundle.ts";
import { signedBytes } from "./envelope.ts";
import { parseSimpleSigning, type SimpleSigning } from "./simple-signing.ts";
import { parseStatement, statementPayloadType } from "./statement.ts";
import { isSignedBy, type VerificationKey } from "./verification-key.ts";

/** What a signature can be stored as. */
export type SignatureFormat = "simple-signing" | "bundle";

/** Something that is stored as a signature of an image. Nothing of it is verified. */
export type SignatureCandidate = {
  /** The manifest or index that it is stored for. */
  readonly subject: Digest;
  /** The digest of what was found: of a payload, or of the manifest that has a bundle. */
  readonly digest: Digest;
} & (
  | ({ readonly format: "simple-signing" } & SimpleSigning)
  | { readonly format: "bundle"; readonly bundle: Uint8Array }
);

/** The predicate of a statement that is nothing but a signature (V6). */
const signaturePredicate = "https://sigstore.dev/cosign/sign/v1";

/** Why a candidate is not the signature that is wanted, in words. */
export class NotSigned extends Error {}

/** Why a candidate failed, in words; throws what is no verdict about it. */
export function reasonOf(error: unknown): string {
  if (error instanceof NotSigned || isOciUnpackError(error, "SIGNATURE_INVALID")) return error.message;
  throw error;
}

/**
 * The key that made a signature of exactly this manifest or index (V2). Throws `NotSigned`, or `SIGNATURE_INVALID` for what
 * was signed and makes no sense.
 */
export function signingKey(candidate: SignatureCandidate, keys: readonly VerificationKey[]): VerificationKey {
  return candidate.format === "bundle" ? ofBundle(candidate, keys) : ofSimpleSigning(candidate, keys);
}

function ofSimpleSigning(
  { subject, payload, signature }: Extract<SignatureCandidate, { format: "simple-signing" }>,
  keys: readonly VerificationKey[],
): VerificationKey {
  if (signature === undefined) throw new NotSigned("it has no signature in base64");
  const key = keys.find((each) => isSignedBy(each, payload, signature, "simple-signing"));
  if (key === undefined) throw otherKey(keys);
  const { digest } = parseSimpleSigning(payload);
  if (digest !== subject) throw new NotSigned(`it is a signature of ${digest}`);
  return key;
}

function ofBundle(
  { subject, bundle }: Extract<SignatureCandidate, { format: "bundle" }>,
  keys: readonly VerificationKey[],
): VerificationKey {
  const { envelope, hasCertificate } = parseBundle(bundle);
  const key = keys.find((each) => isSignedBy(each, signedBytes(envelope), envelope.signature, "bundle"));
  if (key === undefined)
    throw hasCertificate ? new NotSigned("it was signed with a certificate, not with a key") : otherKey(keys);
  const { payloadType, payload } = envelope;
  if (payloadType !== statementPayloadType)
    throw new NotSigned(`its payload is of the type "${payloadType.slice(0, 100)}"`);
  const { predicateType, subjects } = parseStatement(payload);
  if (predicateType !== signaturePredicate)
    throw new NotSigned(`it attests "${predicateType.slice(0, 200)}", and is no signature`);
  if (!subjects.includes(encodedOf(subject))) throw new NotSigned("its statement is about something else");
  return key;
}

function otherKey(keys: readonly VerificationKey[]): NotSigned {
  return new NotSigned(keys.length === 1 ? "another key made it" : `none of the ${keys.length} keys made it`);
}
