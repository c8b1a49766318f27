import { createHash, type Hash } from "node:crypto";
import { OciUnpackError } from "../base/errors.ts";

declare const brand: unique symbol;

/**
 * A content digest, `algorithm:encoded`, whose syntax has been checked: safe in a URL or a file name (image-spec,
 * descriptor.md, "Digests").
 */
export type Digest = string & { readonly [brand]: "Digest" };

/** The algorithms that can be verified. */
type DigestAlgorithm = "sha256" | "sha512";

// Linear: a separator cannot stand in what it separates. No more than 512 characters are looked at.
const grammar = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;
const hexadecimal: Readonly<Record<string, RegExp>> = { sha256: /^[a-f0-9]{64}$/, sha512: /^[a-f0-9]{128}$/ };

/**
 * Checks a digest's syntax. A registered algorithm must have exactly its lower-case hexadecimal length; an unknown one
 * parses.
 */
export function parseDigest(text: string): Digest | undefined {
  if (text.length > 512 || !grammar.test(text)) return undefined;
  const colon = text.indexOf(":");
  const algorithm = text.slice(0, colon);
  const encoding = Object.hasOwn(hexadecimal, algorithm) ? hexadecimal[algorithm] : undefined;
  if (encoding !== undefined && !encoding.test(text.slice(colon + 1))) return undefined;
  return text as Digest;
}

/** The part before the colon. */
export function algorithmOf(digest: Digest): string {
  return digest.slice(0, digest.indexOf(":"));
}

/** The part after the colon. */
export function encodedOf(digest: Digest): string {
  return digest.slice(digest.indexOf(":") + 1);
}

/** A running digest of the same algorithm as `digest`; `UNSUPPORTED_DIGEST` for one nobody here can verify. */
export function hasherFor(digest: Digest): Hasher {
  const algorithm = algorithmOf(digest);
  if (algorithm !== "sha256" && algorithm !== "sha512") {
    throw new OciUnpackError(
      "UNSUPPORTED_DIGEST",
      `cannot verify ${digest}: the algorithm "${algorithm}" is not supported`,
      {
        hint: "sha256 and sha512 are",
      },
    );
  }
  return new Hasher(algorithm);
}

/** Digests bytes as they pass. */
export class Hasher {
  readonly #algorithm: DigestAlgorithm;
  readonly #hash: Hash;

  constructor(algorithm: DigestAlgorithm) {
    this.#algorithm = algorithm;
    this.#hash = createHash(algorithm);
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  /** Ends the computation. */
  digest(): Digest {
    return `${this.#algorithm}:${this.#hash.digest("hex")}` as Digest;
  }
}

/** The sha256 digest of bytes at hand. */
export function digestOf(bytes: Uint8Array): Digest {
  const hasher = new Hasher("sha256");
  hasher.update(bytes);
  return hasher.digest();
}
