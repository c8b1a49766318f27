import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type FailedSignature, OciUnpackError } from "../base/errors.ts";
import type { FetchOptions } from "../base/events.ts";
import type { Limits } from "../base/limits.ts";
import { invalidOption } from "../base/option-checks.ts";
import { fileSystemError } from "../base/system-error.ts";
import type { ImageSource } from "../blob/image-source.ts";
import type { Digest } from "../oci/digest.ts";
import { reasonOf, type SignatureCandidate, type SignatureFormat, signingKey } from "./candidate.ts";
import type { TrustOptions, VerifiedSignature } from "./options.ts";
import { SignatureSearch } from "./signature-search.ts";
import { type VerificationKey, verificationKey } from "./verification-key.ts";

/** What an image's name stands for: its index, if there is one, and the manifest that was chosen. */
export interface SignedImage {
  readonly reference: string;
  /** The manifest; of a copy of all platforms, the index. */
  readonly digest: Digest;
  readonly indexDigest?: Digest;
}

/** How signatures are looked for. */
export interface TrustContext extends FetchOptions {
  readonly source: ImageSource;
  readonly limits: Limits;
}

/** What is demanded, with the keys read. */
export interface TrustRequirements {
  readonly keys: readonly VerificationKey[];
}

/** Reads what is demanded. Throws `INVALID_OPTION` for a key that cannot be used, and where nothing is demanded. */
export async function readTrust({ keys = [] }: TrustOptions): Promise<TrustRequirements> {
  if (keys.length === 0) throw invalidOption("trust", "it demands nothing", "name a key, or leave the option out");
  return { keys: await Promise.all(keys.map(readKey)) };
}

/**
 * Insists that an image is signed as demanded: the index that led to it, or the manifest itself (V25). Gives what was
 * verified.
 *
 * Throws `SIGNATURE_MISSING` or `SIGNATURE_INVALID`, which tells of every candidate why it is not what is wanted (V26).
 */
export async function insistOnTrust(
  image: SignedImage,
  { keys }: TrustRequirements,
  { source, limits, ...options }: TrustContext,
): Promise<readonly VerifiedSignature[]> {
  const search = new SignatureSearch(source, limits, options);
  if (!search.isPossible) throw missing(image, "where it comes from there can be no signatures");
  const failed: FailedSignature[] = [];
  const decided = (message: string) => options.onEvent?.({ type: "decision", topic: "signature", message });
  for (const [of, digest] of subjectsOf(image)) {
    for await (const candidate of search.of(digest)) {
      const about = { digest: candidate.digest, of, format: candidate.format } as const;
      const found = verdict(candidate, keys);
      if (found.reason === undefined) {
        decided(`${described(about)} is by the key ${found.key}`);
        return [{ ...about, key: found.key }];
      }
      decided(`${described(about)} does not count: ${found.reason}`);
      failed.push({ ...about, reason: found.reason });
    }
  }
  if (failed.length === 0) throw missing(image, nothingFound(search.otherFormats));
  throw invalid(image, failed);
}

/** The index first: its signature covers the manifests that it lists (V25). */
function subjectsOf({ digest, indexDigest }: SignedImage): readonly (readonly ["index" | "manifest", Digest])[] {
  const manifest = ["manifest", digest] as const;
  if (indexDigest === undefined) return [manifest];
  return indexDigest === digest ? [["index", digest]] : [["index", indexDigest], manifest];
}

type Verdict = { readonly key: string; readonly reason?: undefined } | { readonly reason: string };

function verdict(candidate: SignatureCandidate, keys: readonly VerificationKey[]): Verdict {
  try {
    return { key: signingKey(candidate, keys).fingerprint };
  } catch (error) {
    return { reason: reasonOf(error) };
  }
}

async function readKey(key: string | URL): Promise<VerificationKey> {
  if (typeof key === "string" && key.includes("-----BEGIN ")) return verificationKey(key, "a key");
  const path = key instanceof URL ? fileURLToPath(key) : key;
  try {
    return verificationKey(await readFile(path, "utf8"), path);
  } catch (error) {
    throw keyError(error, path);
  }
}

function keyError(error: unknown, path: string): unknown {
  const told = fileSystemError(error, `read the key "${path}"`);
  if (!(told instanceof OciUnpackError) || told.code === "INVALID_OPTION") return told;
  return new OciUnpackError("INVALID_OPTION", told.message, {
    hint: "name a file with a public key in PEM, such as cosign.pub",
    details: { option: "trust.keys" },
    cause: error,
  });
}

function described({
  digest,
  of,
  format,
}: {
  readonly digest: string;
  readonly of: string;
  readonly format: SignatureFormat;
}) {
  return `${format === "bundle" ? "the bundle" : "the simple signing"} ${digest} about the ${of}`;
}

function nothingFound(others: readonly string[]): string {
  return others.length === 0
    ? "there is no signature"
    : `there is no signature but of ${others.join(" and ")}, which is not supported`;
}

function missing({ reference, indexDigest, digest }: SignedImage, found: string): OciUnpackError {
  return new OciUnpackError("SIGNATURE_MISSING", `cannot trust "${reference}": ${found}`, {
    hint: "ask whoever publishes the image whether, and how, it is signed",
    details: { digest: indexDigest ?? digest },
  });
}

function invalid({ reference, indexDigest, digest }: SignedImage, failed: readonly FailedSignature[]): OciUnpackError {
  const [first, ...others] = failed;
  const more = others.length === 0 ? "" : `, and ${others.length} more do not count`;
  const found = first === undefined ? "" : `${described(first)} does not count: ${first.reason}`;
  return new OciUnpackError("SIGNATURE_INVALID", `cannot trust "${reference}": ${found}${more}`, {
    hint: "check that the key is the one of whoever publishes the image",
    details: { digest: indexDigest ?? digest, signatures: failed },
  });
}
