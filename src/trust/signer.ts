import type { SignedContent } from "./signed-content.ts";

/** Who made a signature, and when, as far as that was verified. */
export interface SignerEvidence {
  /** The key: `sha256:` and the digest of its SubjectPublicKeyInfo. */
  readonly key?: string;
  /** Whom the certificate names, such as an e-mail address or the URL of a build. */
  readonly identity?: string;
  /** Who vouched for that identity, such as "https://accounts.google.com". */
  readonly issuer?: string;
  /** When a log had the signature: seconds since 1970. */
  readonly loggedAtSeconds?: number;
  /** When a timestamp authority had the signature (RFC 3161): seconds since 1970. */
  readonly timestampedAtSeconds?: number;
}

/** Somebody whose signature is demanded. */
export interface Signer {
  /** In words, for messages: `the key "cosign.pub"`. */
  readonly name: string;
  /** Verifies that a signature is this one's. Throws `NotSigned`, or `SIGNATURE_INVALID` for what makes no sense. */
  verify(content: SignedContent): SignerEvidence | Promise<SignerEvidence>;
}
