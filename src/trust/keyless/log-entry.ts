import { Buffer } from "node:buffer";
import { createPublicKey, type KeyObject } from "node:crypto";
import type { TransparencyLogEntry } from "@sigstore/bundle";
import { JsonValue } from "../../oci/json-value.ts";
import { NotSigned } from "../candidate.ts";
import { pemBlocks } from "../pem.ts";

/** Whom a log entry calls the maker of its signature: a certificate or a key, in DER. */
type EntrySigner = { readonly certificate: Buffer } | { readonly key: Buffer };

/** Insists that an entry is about a signature of exactly this certificate (V15). Throws `NotSigned`. */
export function insistOnCertificate(entry: TransparencyLogEntry, certificate: Buffer): void {
  const signer = signerIn(entry);
  if (!("certificate" in signer && signer.certificate.equals(certificate))) {
    throw new NotSigned("its log entry is about another certificate");
  }
}

/** Insists that an entry is about a signature of exactly this key (V15). Throws `NotSigned`. */
export function insistOnKey(entry: TransparencyLogEntry, key: KeyObject): void {
  const signer = signerIn(entry);
  if (!("key" in signer && createPublicKey({ key: signer.key, format: "der", type: "spki" }).equals(key))) {
    throw new NotSigned("its log entry is about another key");
  }
}

/** Reads an entry of any kind that is known, of Rekor's first version (0.0.1, and intoto 0.0.2) or of its second. */
function signerIn({ canonicalizedBody }: TransparencyLogEntry): EntrySigner {
  const body = JsonValue.parse(canonicalizedBody, "log entry of the signature", "SIGNATURE_INVALID");
  const kind = body.required("kind").string();
  const version = body.required("apiVersion").string();
  const spec = body.required("spec");
  switch (`${kind} ${version}`) {
    case "hashedrekord 0.0.1":
      return inPem(spec.required("signature").required("publicKey").required("content").bytes());
    case "dsse 0.0.1":
      return inPem(onlyOne(spec.required("signatures")).required("verifier").bytes());
    case "intoto 0.0.2":
      return inPem(
        onlyOne(spec.required("content").required("envelope").required("signatures")).required("publicKey").bytes(),
      );
    case "hashedrekord 0.0.2":
      return inDer(spec.required("hashedRekordV002").required("signature").required("verifier"));
    case "dsse 0.0.2":
      return inDer(onlyOne(spec.required("dsseV002").required("signatures")).required("verifier"));
    default:
      throw new NotSigned(`its log entry is of the kind "${kind.slice(0, 50)} ${version.slice(0, 50)}"`);
  }
}

function onlyOne(list: JsonValue): JsonValue {
  const [item, ...others] = list.list();
  return item === undefined || others.length > 0 ? list.refuse(`it has ${others.length} more signatures`) : item;
}

function inPem(bytes: Uint8Array): EntrySigner {
  const [block, ...others] = pemBlocks(Buffer.from(bytes).toString("latin1"));
  if (block !== undefined && others.length === 0) {
    if (block.label === "CERTIFICATE") return { certificate: block.der };
    if (block.label === "PUBLIC KEY") return { key: block.der };
  }
  throw new NotSigned("its log entry has neither a certificate nor a key");
}

function inDer(verifier: JsonValue): EntrySigner {
  const certificate = verifier.optional("x509Certificate");
  if (certificate !== undefined) return { certificate: Buffer.from(certificate.required("rawBytes").bytes()) };
  return { key: Buffer.from(verifier.required("publicKey").required("rawBytes").bytes()) };
}
