import type { X509Certificate } from "@sigstore/core";
import { invalidOption } from "../../base/option-checks.ts";
import { NotSigned } from "../candidate.ts";
import { readable } from "../keyless/certificate.ts";
import type { TrustedRoot } from "../keyless/trusted-root.ts";
import { certificatesInPem } from "../pem.ts";
import type { VerificationKey } from "../verification-key.ts";
import { loaded } from "./loaded-material.ts";
import type { Material } from "./material.ts";
import { policyOption } from "./policy-file.ts";

/** A policy does not say from when to when its keys and authorities count. */
const always = { start: new Date(0), end: new Date(8.64e15) };

/** What a policy has of authorities and logs, as a trusted root: each of its certificates ends a path. */
export function policyRoot(name: string, { anchors = [], between = [], logs = [] }: PolicyRootParts): TrustedRoot {
  const tlogs = logs.map(({ key, fingerprint }) => ({
    logID: Buffer.from(fingerprint.slice("sha256:".length), "hex"),
    publicKey: key,
    validFor: always,
    baseURL: "",
  }));
  return {
    name,
    areLogsNamed: false,
    isAnchor: (certificate) => anchors.includes(certificate),
    material: {
      certificateAuthorities: anchors.map((anchor) => ({ certChain: [...between, anchor], validFor: always })),
      timestampAuthorities: [],
      tlogs,
      ctlogs: [],
      publicKey: () => {
        throw new NotSigned("a policy names no key by a hint");
      },
    },
  };
}

interface PolicyRootParts {
  readonly anchors?: readonly X509Certificate[];
  /** Certificates of authorities between those and whoever signs. */
  readonly between?: readonly X509Certificate[];
  readonly logs?: readonly VerificationKey[];
}

/** Reads the certificates of authorities. Throws `INVALID_OPTION`. */
export async function authoritiesIn(material: Material): Promise<readonly X509Certificate[]> {
  const { pem, name } = await loaded(material, "certificates");
  const found = certificatesInPem(pem);
  if (found === undefined) throw invalidOption(policyOption, `"${name}" has no certificates in PEM, or something else`);
  try {
    return found.map(readable);
  } catch (error) {
    if (error instanceof NotSigned) throw invalidOption(policyOption, `"${name}" has a certificate that is none`);
    throw error;
  }
}
