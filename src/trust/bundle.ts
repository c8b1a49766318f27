import { JsonValue } from "../oci/json-value.ts";
import { type Envelope, envelopeFrom } from "./envelope.ts";

/** The media type of a bundle, and the artifact type of the manifest that it is the layer of. */
export const bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json";

const bundleTypes: readonly string[] = [bundleType, "application/vnd.dev.sigstore.bundle+json;version=0.3"];

/** The parts of a bundle (sigstore_bundle.proto, version 0.3) that say what was signed. Nothing is verified. */
export interface SignedBundle {
  readonly envelope: Envelope;
  /** Whether it comes with a certificate, which says who signed; else a key signed. */
  readonly hasCertificate: boolean;
}

/** Parses the bundle of an image's signature or attestation. Throws `SIGNATURE_INVALID`. */
export function parseBundle(bytes: Uint8Array): SignedBundle {
  const value = JsonValue.parse(bytes, "bundle", "SIGNATURE_INVALID");
  const type = value.required("mediaType").string();
  if (!bundleTypes.includes(type)) value.refuse(`its media type is "${type.slice(0, 100)}"`);
  const material = value.required("verificationMaterial");
  const envelope = value.optional("dsseEnvelope") ?? value.refuse("it has no envelope with a statement about an image");
  return {
    envelope: envelopeFrom(envelope),
    hasCertificate: (material.optional("certificate") ?? material.optional("x509CertificateChain")) !== undefined,
  };
}
