import { present } from "../../base/present.ts";
import type { SignatureCandidate } from "../candidate.ts";
import type { SignerEvidence } from "../signer.ts";
import { signingCertificate } from "./certificate.ts";
import { materialOf } from "./material.ts";
import { asVerdict } from "./verdict.ts";
import { timesOf } from "./verify.ts";

/**
 * Who says to have made a signature with a certificate, and when, for a list. Nothing of it is verified: anybody can write
 * such a certificate. Throws `NotSigned` or `SIGNATURE_INVALID` for what cannot be read.
 */
export function claimedSigner(candidate: SignatureCandidate): SignerEvidence {
  const material = materialOf(candidate);
  return asVerdict(() => {
    const { certificate } = material;
    const { names: [identity] = [], issuer } =
      certificate === undefined ? {} : signingCertificate(certificate, "if stated");
    return { ...present({ identity, issuer }), ...timesOf(material) };
  });
}
