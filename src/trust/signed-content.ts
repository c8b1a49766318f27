import { type Digest, parseDigest } from "../oci/digest.ts";
import { JsonValue } from "../oci/json-value.ts";
import { parseBundle } from "./bundle.ts";
import { NotSigned, type SignatureCandidate } from "./candidate.ts";
import { type Envelope, envelopeFrom, signedBytes } from "./envelope.ts";
import { certificateIn, parseSimpleSigning, signatureIn } from "./simple-signing.ts";
import { parseStatement, statementPayloadType } from "./statement.ts";
import type { SignedForm } from "./verification-key.ts";

/** What a candidate states, if it is believed. */
export interface SignedStatement {
  /** The manifests and indexes that it is about. */
  readonly subjects: readonly Digest[];
  /** The type of an in-toto statement; a simple signing has none. */
  readonly predicateType?: string;
  /** As it came from JSON. */
  readonly predicate?: unknown;
  /** The name that a simple signing was made under; a statement has none. */
  readonly reference?: string;
}

/** The bytes that a candidate is a signature of, and that signature. Nothing is verified. */
export interface SignedContent {
  readonly candidate: SignatureCandidate;
  readonly form: SignedForm;
  readonly data: Uint8Array;
  /** Of an envelope its payload, which some logs have the digest of; else the same bytes. */
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  /** Whether it comes with a certificate, which says who signed; else a key signed. */
  readonly hasCertificate: boolean;
  /** Parses what was signed (V3): to be called when the signature is verified. Throws `NotSigned` or `SIGNATURE_INVALID`. */
  stated(): SignedStatement;
}

/** Finds what a candidate is a signature of. Throws `NotSigned`, or `SIGNATURE_INVALID` for what makes no sense. */
export function signedContent(candidate: SignatureCandidate): SignedContent {
  switch (candidate.format) {
    case "simple-signing":
      return ofSimpleSigning(candidate);
    case "bundle": {
      const { envelope, hasCertificate } = parseBundle(candidate.bundle);
      return ofEnvelope(candidate, envelope, hasCertificate);
    }
    case "attestation": {
      const value = JsonValue.parse(candidate.envelope, "attestation", "SIGNATURE_INVALID");
      return ofEnvelope(candidate, envelopeFrom(value), certificateIn(candidate.annotations) !== undefined);
    }
  }
}

function ofSimpleSigning(candidate: Extract<SignatureCandidate, { format: "simple-signing" }>): SignedContent {
  const { payload, annotations } = candidate;
  const signature = signatureIn(annotations);
  if (signature === undefined) throw new NotSigned("it has no signature in base64");
  return {
    candidate,
    form: "simple-signing",
    data: payload,
    payload,
    signature,
    hasCertificate: certificateIn(annotations) !== undefined,
    stated: () => {
      const { digest, reference } = parseSimpleSigning(payload);
      return { subjects: [digest], reference };
    },
  };
}

function ofEnvelope(candidate: SignatureCandidate, envelope: Envelope, hasCertificate: boolean): SignedContent {
  const { payloadType, payload, signature } = envelope;
  return {
    candidate,
    form: "bundle",
    data: signedBytes(envelope),
    payload,
    signature,
    hasCertificate,
    stated: () => {
      if (payloadType !== statementPayloadType)
        throw new NotSigned(`its payload is of the type "${payloadType.slice(0, 100)}"`);
      const { predicateType, predicate, subjects } = parseStatement(payload);
      return { predicateType, predicate, subjects: subjects.flatMap((each) => parseDigest(`sha256:${each}`) ?? []) };
    },
  };
}
