import { Buffer } from "node:buffer";
import type { JsonValue } from "../oci/json-value.ts";

/** A signed envelope (DSSE, "Envelope"). Nothing in it is verified. */
export interface Envelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/** Reads an envelope, which has exactly one signature (V4). Throws the error of its document. */
export function envelopeFrom(value: JsonValue): Envelope {
  const signatures = value.required("signatures").list();
  const [signature] = signatures;
  if (signature === undefined || signatures.length > 1) {
    return value.refuse(`its envelope has ${signatures.length} signatures, and one is expected`);
  }
  return {
    payloadType: value.required("payloadType").string(),
    payload: value.required("payload").bytes(),
    signature: signature.required("sig").bytes(),
  };
}

/** What the signature of an envelope is a signature of (DSSE, "PAE"). */
export function signedBytes({ payloadType, payload }: Envelope): Uint8Array {
  const type = Buffer.from(payloadType, "utf8");
  const head = Buffer.from(`DSSEv1 ${type.length} ${payloadType} ${payload.length} `, "utf8");
  return Buffer.concat([head, payload]);
}
