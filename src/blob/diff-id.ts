import { OciUnpackError } from "../base/errors.ts";
import { type Digest, type Hasher, hasherFor } from "../oci/digest.ts";

/** Insists, at the end of a decompressed archive, that it has the diffID that the image's configuration states. */
export class DiffIDVerification {
  readonly #expected: Digest;
  readonly #hasher: Hasher;

  constructor(expected: Digest) {
    this.#expected = expected;
    this.#hasher = hasherFor(expected);
  }

  update(bytes: Uint8Array): void {
    this.#hasher.update(bytes);
  }

  end(): void {
    const actual = this.#hasher.digest();
    if (actual === this.#expected) return;
    const found = `decompressed it digests to ${actual}, its diffID is ${this.#expected}`;
    throw new OciUnpackError("DIFF_ID_MISMATCH", `cannot accept the layer: ${found}`, {
      hint: "the image's configuration does not belong to its layers; it was put together wrongly",
    });
  }
}
