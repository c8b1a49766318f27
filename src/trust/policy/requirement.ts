import { present } from "../../base/present.ts";
import type { JsonValue } from "../../oci/json-value.ts";
import { type Material, materialFrom, materialsFrom } from "./material.ts";
import { defaultIdentity, type SignedIdentity, signedIdentityFrom } from "./signed-identity.ts";
import { oneOf, StrictMembers, typeIn, word } from "./strict-members.ts";

/** What one requirement of a policy is. */
export type Requirement =
  | { readonly type: "insecureAcceptAnything" | "reject" | "signedBaseLayer" }
  | { readonly type: "signedBy"; readonly keyType: string }
  | SigstoreSigned;

/** The requirement that an image is signed with a key, or with a certificate. */
export interface SigstoreSigned {
  readonly type: "sigstoreSigned";
  readonly by: RequiredSigner;
  /** The keys of logs, of which one has to have recorded the signature. */
  readonly logKeys?: readonly Material[];
  readonly identity: SignedIdentity;
}

/** Who has to have signed. */
export type RequiredSigner = RequiredKeys | RequiredFulcio | RequiredPki;

/** Whoever has one of these keys. */
export interface RequiredKeys {
  readonly kind: "keys";
  readonly keys: readonly Material[];
}

/** Whom an instance of Fulcio certified. */
export interface RequiredFulcio {
  readonly kind: "fulcio";
  readonly authorities: Material;
  readonly oidcIssuer: string;
  readonly subjectEmail: string;
}

/** Whom another public-key infrastructure certified. */
export interface RequiredPki {
  readonly kind: "pki";
  readonly roots: Material;
  readonly intermediates?: Material;
  readonly subjectEmail?: string;
  readonly subjectHostname?: string;
}

const keyMembers = ["keyPath", "keyPaths", "keyData", "keyDatas"] as const;
const logMembers = ["rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData", "rekorPublicKeyDatas"] as const;

/** Reads one requirement of a policy (containers-policy.json(5), "Policy Requirements"). Throws its document's error. */
export function requirementFrom(value: JsonValue): Requirement {
  const type = typeIn(value, "insecureAcceptAnything", "reject", "signedBy", "signedBaseLayer", "sigstoreSigned");
  switch (type) {
    case "insecureAcceptAnything":
    case "reject":
      new StrictMembers(value, ["type"]);
      return { type };
    case "signedBaseLayer":
      signedIdentityFrom(new StrictMembers(value, ["type", "baseLayerIdentity"]).required("baseLayerIdentity"));
      return { type };
    case "signedBy":
      return signedBy(value);
    case "sigstoreSigned":
      return sigstoreSigned(value);
  }
}

/** It is read as strictly as what is supported, so that a policy is good or bad for all programs that read it. */
function signedBy(value: JsonValue): Requirement {
  const sources = ["keyPath", "keyPaths", "keyData"] as const;
  const members = new StrictMembers(value, ["type", "keyType"], [...sources, "signedIdentity"]);
  materialsFrom(members.one(...sources));
  identityIn(members);
  const keyTypes = ["GPGKeys", "signedByGPGKeys", "X509Certificates", "signedByX509CAs"] as const;
  return { type: "signedBy", keyType: oneOf(members.required("keyType"), ...keyTypes) };
}

function sigstoreSigned(value: JsonValue): SigstoreSigned {
  const sources = [...keyMembers, "fulcio", "pki"] as const;
  const members = new StrictMembers(value, ["type"], [...sources, ...logMembers, "signedIdentity"]);
  const source = members.one(...sources);
  const log = members.oneOrNone(...logMembers);
  if (source.name === "fulcio" && log === undefined) {
    value.refuse(`"fulcio" needs the key of a log: one of ${logMembers.join(", ")}`);
  }
  if (source.name === "pki" && log !== undefined) value.refuse(`"pki" and "${log.name}" exclude each other`);
  const by =
    source.name === "fulcio"
      ? fulcio(source.value)
      : source.name === "pki"
        ? pki(source.value)
        : ({ kind: "keys", keys: materialsFrom(source) } as const);
  return {
    type: "sigstoreSigned",
    by,
    ...present({ logKeys: log && materialsFrom(log) }),
    identity: identityIn(members),
  };
}

function identityIn(members: StrictMembers): SignedIdentity {
  const member = members.optional("signedIdentity");
  return member === undefined ? defaultIdentity : signedIdentityFrom(member);
}

function fulcio(value: JsonValue): RequiredFulcio {
  const members = new StrictMembers(value, ["oidcIssuer", "subjectEmail"], ["caPath", "caData"]);
  return {
    kind: "fulcio",
    authorities: materialFrom(members.one("caPath", "caData")),
    oidcIssuer: word(members.required("oidcIssuer")),
    subjectEmail: word(members.required("subjectEmail")),
  };
}

function pki(value: JsonValue): RequiredPki {
  const roots = ["caRootsPath", "caRootsData"] as const;
  const intermediates = ["caIntermediatesPath", "caIntermediatesData"] as const;
  const subjects = ["subjectEmail", "subjectHostname"] as const;
  const members = new StrictMembers(value, [], [...roots, ...intermediates, ...subjects]);
  const [email, hostname] = subjects.map((name) => members.optional(name));
  if (email === undefined && hostname === undefined) value.refuse(`it needs ${subjects.join(", ")}, or both`);
  const between = members.oneOrNone(...intermediates);
  return {
    kind: "pki",
    roots: materialFrom(members.one(...roots)),
    ...present({
      intermediates: between && materialFrom(between),
      subjectEmail: email && word(email),
      subjectHostname: hostname && word(hostname),
    }),
  };
}
