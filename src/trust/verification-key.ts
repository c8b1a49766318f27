import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import { invalidOption } from "../base/option-checks.ts";
import { pemBlocks } from "./pem.ts";

/** A public key that signatures are verified with. */
export interface VerificationKey {
  /** `sha256:` and the digest of the key (SubjectPublicKeyInfo in DER), in hexadecimal. */
  readonly fingerprint: string;
  /** In words, for messages: the file that it was read from, or else the fingerprint. */
  readonly name: string;
  readonly key: KeyObject;
}

/** What signs: the payload of a simple signing, or the envelope in a bundle. They may use other hashes. */
export type SignedForm = "simple-signing" | "bundle";

/** The curve's own hash is allowed in bundles, besides SHA-256 (V18). */
const curveHashes: Readonly<Record<string, string>> = {
  prime256v1: "sha256",
  secp384r1: "sha384",
  secp521r1: "sha512",
};

const fewestRsaBits = 2048;

/**
 * Reads a public key in PEM: P-256, P-384, P-521, RSA from 2048 bits on, or Ed25519 (V18).
 *
 * Throws `INVALID_OPTION` for everything else: a private key and a certificate are no public key.
 */
export function verificationKey(pem: string, path?: string, option = "trust.keys"): VerificationKey {
  const refuse = (found: string): never => {
    throw invalidOption(
      option,
      `"${path ?? "a key"}" ${found}`,
      "a public key in PEM begins with -----BEGIN PUBLIC KEY-----",
    );
  };
  const labels = [...pem.matchAll(/^-----BEGIN ([A-Z0-9 ]{1,60})-----/gm)].map(([, label = ""]) => label);
  const [label] = labels;
  if (label === undefined) return refuse("is not PEM");
  if (labels.length > 1) return refuse(`has ${labels.length} keys: give each a file of its own`);
  if (label !== "PUBLIC KEY") return refuse(`has no public key but what is called ${label}`);
  const key = publicKey(pem) ?? refuse("is not a public key that can be read");
  const fault = verificationFault(key);
  if (fault !== undefined) return refuse(fault);
  const der = key.export({ type: "spki", format: "der" });
  if (pemBlocks(pem)[0]?.der.equals(der) !== true) return refuse("is not written as DER has it (X.690)");
  const fingerprint = `sha256:${createHash("sha256").update(der).digest("hex")}`;
  return { fingerprint, name: path === undefined ? fingerprint : `"${path}"`, key };
}

function publicKey(pem: string): KeyObject | undefined {
  try {
    return createPublicKey(pem);
  } catch {
    return undefined;
  }
}

/** Why a key is not one that signatures are verified with, in words (V18). */
export function verificationFault({
  asymmetricKeyType: type,
  asymmetricKeyDetails: details = {},
}: KeyObject): string | undefined {
  if (type === "ed25519") return undefined;
  if (type === "rsa") {
    const { modulusLength = 0 } = details;
    return modulusLength >= fewestRsaBits
      ? undefined
      : `is an RSA key of ${modulusLength} bits, ${fewestRsaBits} are needed`;
  }
  const { namedCurve = "none" } = details;
  if (type === "ec") return Object.hasOwn(curveHashes, namedCurve) ? undefined : `is a key on the curve ${namedCurve}`;
  return `is a key of the type ${type ?? "unknown"}`;
}

/** Whether a key made the signature of `data`. The signature of a key on a curve is in DER (RFC 3279, section 2.2.3). */
export function isSignedBy(
  { key }: Pick<VerificationKey, "key">,
  data: Uint8Array,
  signature: Uint8Array,
  form: SignedForm,
): boolean {
  if (key.asymmetricKeyType === "ed25519") return verify(null, data, key, signature);
  const own = curveHashes[key.asymmetricKeyDetails?.namedCurve ?? ""];
  const hashes = new Set(["sha256", ...(form === "bundle" && own !== undefined ? [own] : [])]);
  return [...hashes].some((hash) => verify(hash, data, key, signature));
}
