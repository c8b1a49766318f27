import type { KeySigner } from "../key-signer.ts";
import type { SignedContent } from "../signed-content.ts";
import type { Signer, SignerEvidence } from "../signer.ts";
import { type IdentityMatch, signerOf } from "./identity.ts";
import { materialOf } from "./material.ts";
import type { TrustedRoot } from "./trusted-root.ts";
import { verifyCertified, verifyLogged } from "./verify.ts";

/** Somebody whom a certificate names: any one of these identities. */
export class IdentitySigner implements Signer {
  readonly #identities: readonly IdentityMatch[];
  readonly #root: TrustedRoot;

  constructor(identities: readonly IdentityMatch[], root: TrustedRoot) {
    this.#identities = identities;
    this.#root = root;
  }

  get name(): string {
    const [only, ...others] = this.#identities;
    return only !== undefined && others.length === 0 ? only.words : `one of ${this.#identities.length} identities`;
  }

  verify(content: SignedContent): SignerEvidence {
    const { certificate, times } = verifyCertified(content, materialOf(content.candidate), this.#root);
    return { ...signerOf(certificate, this.#identities), ...times };
  }
}

/** The owner of a key whose signatures are in a log of the trusted root. */
export class LoggedKeySigner implements Signer {
  readonly #keys: KeySigner;
  readonly #root: TrustedRoot;

  constructor(keys: KeySigner, root: TrustedRoot) {
    this.#keys = keys;
    this.#root = root;
  }

  get name(): string {
    return `${this.#keys.name}, in a log,`;
  }

  verify(content: SignedContent): SignerEvidence {
    const { key, fingerprint } = this.#keys.keyOf(content);
    return { key: fingerprint, ...verifyLogged(content, key, materialOf(content.candidate), this.#root) };
  }
}
