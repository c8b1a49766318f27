import { NotSigned } from "./candidate.ts";
import { isDerSignature } from "./der-signature.ts";
import type { SignedContent } from "./signed-content.ts";
import type { Signer, SignerEvidence } from "./signer.ts";
import { isSignedBy, type VerificationKey } from "./verification-key.ts";

/** The owner of a key; of several keys any one (V9). */
export class KeySigner implements Signer {
  readonly #keys: readonly VerificationKey[];

  constructor(keys: readonly VerificationKey[]) {
    this.#keys = keys;
  }

  get name(): string {
    const [key, ...others] = this.#keys;
    return key !== undefined && others.length === 0 ? `the key ${key.name}` : `one of ${this.#keys.length} keys`;
  }

  verify(content: SignedContent): SignerEvidence {
    return { key: this.keyOf(content).fingerprint };
  }

  /** The key that made a signature. Throws `NotSigned`. */
  keyOf({ data, signature, form, hasCertificate }: SignedContent): VerificationKey {
    const made = this.#keys.find((key) => isSignedBy(key, data, signature, form));
    if (made !== undefined) return made;
    if (this.#keys.every((key) => key.key.asymmetricKeyType === "ec") && !isDerSignature(signature))
      throw new NotSigned("its signature is not written in DER");
    if (hasCertificate) throw new NotSigned("it was signed with a certificate, not with a key");
    throw new NotSigned(
      this.#keys.length === 1 ? "another key made it" : `none of the ${this.#keys.length} keys made it`,
    );
  }
}
