import { createHash, type Hash } from "node:crypto";
import { OciUnpackError } from "../base/errors.ts";

declare const brand: unique symbol;

/**
 * A content digest, `algorithm:encoded` (image-spec, descriptor.md, "Digests"). Its syntax has been checked, so that it
 * can be a part of a URL or a file name.
 */
export type Digest = string & { readonly [brand]: "Digest" };

/** The algorithms that can be verified. */
type DigestAlgorithm = "sha256" | "sha512";

// Linear: separators do not occur in what they separate. At most 512 characters are matched.
const grammar = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;
const hexadecimal: Readonly<Record<string, RegExp>> = { sha256: /^[a-f0-9]{64}$/, sha512: /^[a-f0-9]{128}$/ };

/**
 * Parses a digest; `undefined` if its syntax is wrong. sha256 and sha512 must have the right number of lower-case
 * hexadecimal digits; digests of unknown algorithms are accepted.
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

/** The tag that stands for what refers to a manifest (distribution-spec, "Referrers Tag Schema"). */
export function referrersTag(digest: Digest): string {
  return `${algorithmOf(digest)}-${encodedOf(digest)}`;
}

/** The manifest that a tag stands for what is stored beside it: what refers to it, or cosign's `.sig` and `.att`. */
export function subjectOfTag(tag: string): Digest | undefined {
  const [, algorithm, encoded] = /^(sha256|sha512)-([0-9a-f]+)(?:\.sig|\.att)?$/.exec(tag) ?? [];
  return algorithm === undefined ? undefined : parseDigest(`${algorithm}:${encoded}`);
}

/** A hasher of the same algorithm as `digest`. Throws `UNSUPPORTED_DIGEST` for an unknown one. */
export function hasherFor(digest: Digest): Hasher {
  const algorithm = algorithmOf(digest);
  if (algorithm !== "sha256" && algorithm !== "sha512") {
    throw new OciUnpackError(
      "UNSUPPORTED_DIGEST",
      `cannot verify ${digest}: the algorithm "${algorithm}" is not supported`,
      {
        hint: "sha256 and sha512 are supported",
      },
    );
  }
  return new Hasher(algorithm);
}

/** Computes a digest of bytes that come piece by piece. */
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

  /** The digest of all bytes. Nothing can be added any more. */
  digest(): Digest {
    return `${this.#algorithm}:${this.#hash.digest("hex")}` as Digest;
  }
}

/** The sha256 digest of bytes. */
export function digestOf(bytes: Uint8Array): Digest {
  const hasher = new Hasher("sha256");
  hasher.update(bytes);
  return hasher.digest();
}

/** The digest of bytes by the algorithm of another digest. Throws `UNSUPPORTED_DIGEST` for an unknown one. */
export function digestBy(digest: Digest, bytes: Uint8Array): Digest {
  const hasher = hasherFor(digest);
  hasher.update(bytes);
  return hasher.digest();
}
