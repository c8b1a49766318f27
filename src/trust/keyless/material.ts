import { Buffer } from "node:buffer";
import { type Bundle, bundleFromJSON, type TransparencyLogEntry, ValidationError } from "@sigstore/bundle";
import { RFC3161Timestamp, type X509Certificate } from "@sigstore/core";
import { JsonValue } from "../../oci/json-value.ts";
import { NotSigned, type SignatureAnnotations, type SignatureCandidate } from "../candidate.ts";
import { certificatesInPem } from "../pem.ts";
import { certificateIn } from "../simple-signing.ts";
import { isRoot, readable } from "./certificate.ts";
import { asVerdict } from "./verdict.ts";

/** What comes with a signature to show who made it, and when. Nothing is verified. */
export interface VerificationMaterial {
  /** In DER. A signature that was made with a key has none. */
  readonly certificate: Buffer | undefined;
  /** Of authorities between that certificate and a root. */
  readonly intermediates: readonly X509Certificate[];
  readonly logEntries: readonly TransparencyLogEntry[];
  readonly timestamps: readonly RFC3161Timestamp[];
}

/** As many entries and timestamps as one signature has at most. */
const mostOfAKind = 32;

/** As many certificates of authorities, a root included. */
const mostCertificates = 8;

/**
 * What comes with a candidate to show who made it: both forms are one from here on. Throws `NotSigned`, or
 * `SIGNATURE_INVALID`.
 */
export function materialOf(candidate: SignatureCandidate): VerificationMaterial {
  return asVerdict(() =>
    candidate.format === "bundle" ? materialOfBundle(candidate.bundle) : materialOfAnnotations(candidate.annotations),
  );
}

/** Reads what a bundle has beside its signature. Throws `NotSigned`, or `SIGNATURE_INVALID`. */
function materialOfBundle(bytes: Uint8Array): VerificationMaterial {
  // Parsed by our own parser first, which refuses duplicate keys (V3).
  const { verificationMaterial } = bundleFrom(JsonValue.parse(bytes, "bundle", "SIGNATURE_INVALID").json);
  const { content, tlogEntries, timestampVerificationData } = verificationMaterial;
  const [certificate, ...others] = certificatesOf(content);
  const intermediates = authorities(others);
  if (intermediates.some(isRoot)) throw new NotSigned("it comes with a root certificate");
  const timestamps = timestampVerificationData?.rfc3161Timestamps.map(({ signedTimestamp }) => signedTimestamp) ?? [];
  return limited({ certificate, intermediates, logEntries: tlogEntries, timestamps: timestamps.map(timestampFrom) });
}

function bundleFrom(json: unknown): Bundle {
  try {
    return bundleFromJSON(json);
  } catch (error) {
    const found = error instanceof ValidationError ? error.fields.join(" and ") : String(error);
    throw new NotSigned(`its bundle is not valid: ${found.slice(0, 200)}`, { cause: error });
  }
}

function certificatesOf(content: Bundle["verificationMaterial"]["content"]): readonly Buffer[] {
  switch (content.$case) {
    case "certificate":
      return [content.certificate.rawBytes];
    case "x509CertificateChain":
      return content.x509CertificateChain.certificates.map(({ rawBytes }) => rawBytes);
    case "publicKey":
      return [];
  }
}

const chainAnnotation = "dev.sigstore.cosign/chain";
const logEntryAnnotation = "dev.sigstore.cosign/bundle";
const timestampAnnotation = "dev.sigstore.cosign/rfc3161timestamp";

/**
 * Reads the same from the annotations of a simple signing or an older attestation. Their chain may have a root, which counts
 * for nothing. Throws `NotSigned`, or `SIGNATURE_INVALID`.
 */
function materialOfAnnotations(annotations: SignatureAnnotations): VerificationMaterial {
  const [certificate] = certificatesIn(certificateIn(annotations));
  const chain = authorities(certificatesIn(annotations[chainAnnotation]));
  const entry = annotations[logEntryAnnotation];
  const timestamp = annotations[timestampAnnotation];
  return limited({
    certificate,
    intermediates: chain.filter((each) => !isRoot(each)),
    logEntries: isPresent(entry) ? [logEntryFrom(entry)] : [],
    timestamps: isPresent(timestamp) ? [timestampFrom(signedTimestampIn(timestamp))] : [],
  });
}

function authorities(certificates: readonly Buffer[]): readonly X509Certificate[] {
  if (certificates.length > mostCertificates) {
    throw new NotSigned(`it comes with ${certificates.length} certificates of authorities`);
  }
  return certificates.map(readable);
}

function isPresent(annotation: string | undefined): annotation is string {
  return annotation !== undefined && annotation !== "";
}

function certificatesIn(pem: string | undefined): readonly Buffer[] {
  if (!isPresent(pem)) return [];
  const certificates = certificatesInPem(pem);
  if (certificates === undefined) throw new NotSigned("its certificate is not PEM");
  return certificates;
}

/** cosign's form of a log entry (cosign's `bundle.RekorBundle`). */
function logEntryFrom(text: string): TransparencyLogEntry {
  const value = JsonValue.parse(Buffer.from(text), "log entry of the signature", "SIGNATURE_INVALID");
  const payload = value.required("Payload");
  const canonicalizedBody = Buffer.from(payload.required("body").bytes());
  const body = JsonValue.parse(canonicalizedBody, "log entry of the signature", "SIGNATURE_INVALID");
  return {
    logIndex: String(payload.required("logIndex").count()),
    logId: { keyId: Buffer.from(payload.required("logID").string(), "hex") },
    kindVersion: { kind: body.required("kind").string(), version: body.required("apiVersion").string() },
    integratedTime: String(payload.required("integratedTime").count()),
    inclusionPromise: { signedEntryTimestamp: Buffer.from(value.required("SignedEntryTimestamp").bytes()) },
    inclusionProof: undefined,
    canonicalizedBody,
  };
}

function signedTimestampIn(text: string): Uint8Array {
  const value = JsonValue.parse(Buffer.from(text), "timestamp of the signature", "SIGNATURE_INVALID");
  return value.required("SignedRFC3161Timestamp").bytes();
}

function timestampFrom(der: Uint8Array): RFC3161Timestamp {
  try {
    const timestamp = RFC3161Timestamp.parse(Buffer.from(der));
    // The time is parsed when it is asked for.
    void timestamp.signingTime;
    return timestamp;
  } catch (cause) {
    throw new NotSigned("its timestamp cannot be read", { cause });
  }
}

function limited(material: VerificationMaterial): VerificationMaterial {
  const { logEntries, timestamps } = material;
  if (logEntries.length > mostOfAKind) throw new NotSigned(`it has ${logEntries.length} log entries`);
  if (timestamps.length > mostOfAKind) throw new NotSigned(`it has ${timestamps.length} timestamps`);
  return material;
}
