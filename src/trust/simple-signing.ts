import { Buffer } from "node:buffer";
import type { SignatureFile } from "../blob/image-source.ts";
import { digestFrom } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { JsonValue, wrappedBase64Bytes } from "../oci/json-value.ts";
import type { SignatureAnnotations, SimpleSigning } from "./candidate.ts";

/** The media type of a payload as a layer of a `.sig` image. */
export const simpleSigningType = "application/vnd.dev.cosign.simplesigning.v1+json";

/** The annotation of such a layer that has its signature, in base64. */
const signatureAnnotation = "dev.cosignproject.cosign/signature";

/** What a file with a simple signing begins with. Files of other formats have signatures of GPG. */
const fileHeader = Buffer.from("\0sigstore-json\n", "latin1");

/** The annotation with the certificate of whoever signed, in PEM. */
const certificateAnnotation = "dev.sigstore.cosign/certificate";

/** The signature that annotations have; `undefined` if there is none in base64, which may have line ends as openssl's. */
export function signatureIn(annotations: SignatureAnnotations): Uint8Array | undefined {
  const base64 = annotations[signatureAnnotation];
  return base64 === undefined || base64 === "" ? undefined : wrappedBase64Bytes(base64);
}

/** The certificate that annotations have, in PEM. */
export function certificateIn(annotations: SignatureAnnotations): string | undefined {
  const pem = annotations[certificateAnnotation];
  return pem === "" ? undefined : pem;
}

/**
 * Reads a signature file, as podman and skopeo write it beside an image in a directory. Gives the name of its format where
 * that is another. Throws `SIGNATURE_INVALID`.
 */
export function parseSignatureFile({ name, bytes }: SignatureFile): SimpleSigning | string {
  if (!fileHeader.equals(bytes.subarray(0, fileHeader.length))) return "GPG";
  const value = JsonValue.parse(bytes.subarray(fileHeader.length), `signature "${name}"`, "SIGNATURE_INVALID");
  const type = value.required("mimeType").string();
  if (type !== simpleSigningType) return `"${type.slice(0, 100)}"`;
  const annotations = value.optional("annotations")?.stringMap() ?? {};
  return { format: "simple-signing", payload: value.required("payload").bytes(), annotations };
}

/** What a simple signing states about an image (containers-signature, atomic-container-signature). */
export interface SimpleSigningPayload {
  /** The manifest or index that it is about. */
  readonly digest: Digest;
  /** The name that it was signed under. */
  readonly reference: string;
}

const payloadType = "cosign container image signature";

/**
 * Parses a payload whose signature was verified (V3). Of what it calls critical nothing may be unknown, and its type has to
 * be that of an image's signature (V4).
 *
 * Throws `SIGNATURE_INVALID`.
 */
export function parseSimpleSigning(bytes: Uint8Array): SimpleSigningPayload {
  const value = JsonValue.parse(bytes, "payload of the signature", "SIGNATURE_INVALID");
  insistOnMembers(value, ["critical"], ["optional"]);
  const critical = value.required("critical");
  insistOnMembers(critical, ["type", "image", "identity"]);
  const type = critical.required("type").string();
  if (type !== payloadType) value.refuse(`its type is "${type.slice(0, 100)}"`);
  const image = critical.required("image");
  insistOnMembers(image, ["docker-manifest-digest"]);
  const identity = critical.required("identity");
  insistOnMembers(identity, ["docker-reference"]);
  return {
    digest: digestFrom(image.required("docker-manifest-digest")),
    reference: identity.required("docker-reference").string(),
  };
}

/** Refuses an object that has other members than these, or writes one of them otherwise. */
function insistOnMembers(value: JsonValue, members: readonly string[], optional: readonly string[] = []): void {
  const keys = value.keys();
  const missing = members.find((name) => !keys.includes(name));
  if (missing !== undefined) value.refuse(`it has no "${missing}"`);
  const other = keys.find((name) => !members.includes(name) && !optional.includes(name));
  if (other !== undefined) value.refuse(`it has "${other.slice(0, 100)}", of which nothing is known`);
}
