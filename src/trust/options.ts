import type { FailedSignature } from "../base/errors.ts";
import { path, paths, shape, shapes, text, texts } from "../base/option-checks.ts";
import type { SignerEvidence } from "./signer.ts";

/** Who may have signed: whom the certificate names, and who vouched for that. One of each pair has to be given. */
export interface SignerIdentity {
  /** Exactly this URI, e-mail address, DNS name or user name. */
  readonly identity?: string;
  /** One that this regular expression matches as a whole. */
  readonly identityRegexp?: string;
  /** Exactly this OpenID provider, as in `https://token.actions.githubusercontent.com`. */
  readonly issuer?: string;
  readonly issuerRegexp?: string;
}

/** What is demanded of an image before anything of its layers is fetched. */
export interface TrustOptions {
  /**
   * Public keys, of which one has to have signed the image: PEM, or the path or URL of a file with it. A key is enough; no
   * certificate and no log is asked for.
   */
  readonly keys?: readonly (string | URL)[];
  /** Identities, of which one has to have signed the image with a certificate, besides one of the keys if there are some. */
  readonly identities?: readonly SignerIdentity[];
  /**
   * A file (`trusted_root.json`, or its URL) that names the authorities whose certificates count, the logs and the timestamp
   * authorities; otherwise those of the public Sigstore instance. Where it is given, the signature of a key has to be in
   * one of its logs.
   */
  readonly trustedRoot?: string | URL;
  /**
   * The predicate types of the in-toto statements that have to be there, such as "https://slsa.dev/provenance/v1": each
   * signed by those who are named besides. No other signature is demanded then.
   */
  readonly attestations?: readonly string[];
  /**
   * A policy that has to accept the image as well: the path or URL of a file in the format of podman and skopeo
   * (containers-policy.json(5)). `machinePolicy()` finds the one that podman would use.
   */
  readonly policy?: string | URL;
}

/** A signature that was verified. */
export interface VerifiedSignature extends Pick<FailedSignature, "digest" | "of" | "format">, SignerEvidence {
  /** The types of the statements that were signed; absent for a simple signing. */
  readonly predicateTypes?: readonly string[];
  /** What these statements state, each as it came from JSON. */
  readonly predicates?: readonly unknown[];
}

/** Something that is stored as a signature or attestation of an image, whosever it is, and what comes of verifying it. */
export interface StoredSignature extends Pick<FailedSignature, "digest" | "of" | "format">, SignerEvidence {
  /** The type of a statement; a simple signing has none. */
  readonly predicateType?: string;
  /** What a verified statement states, as it came from JSON. */
  readonly predicate?: unknown;
  /**
   * Whether one of those who are demanded made it, and about exactly this manifest or index. Who is demanded may have signed
   * something else than is demanded: `reason` says so then. Where nobody is demanded, all are "not verified", and what is
   * told of them is only what they say themselves.
   */
  readonly verdict: "verified" | "rejected" | "not verified";
  readonly reason?: string;
}

/** What a caller may pass as the option `trust`. */
export const trustKind = shape<TrustOptions>({
  keys: paths,
  identities: shapes<SignerIdentity>({ identity: text, identityRegexp: text, issuer: text, issuerRegexp: text }),
  trustedRoot: path,
  attestations: texts,
  policy: path,
});
