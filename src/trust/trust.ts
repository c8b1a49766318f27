import type { FetchOptions } from "../base/events.ts";
import type { Limits } from "../base/limits.ts";
import type { ImageSource } from "../blob/image-source.ts";
import type { Digest } from "../oci/digest.ts";
import { failureOf, type SignatureCandidate } from "./candidate.ts";
import { type Demand, type Fulfilment, fulfilment, isCandidateFor } from "./demand.ts";
import type { VerifiedSignature } from "./options.ts";
import type { TrustRequirements } from "./read-trust.ts";
import { described, type Failure, refusal } from "./refusal.ts";
import { SignatureSearch } from "./signature-search.ts";
import { type SignedImage, type SignedSubject, subjectsOf } from "./signed-image.ts";

/** How signatures are looked for. */
export interface TrustContext extends FetchOptions {
  readonly source: ImageSource;
  readonly limits: Limits;
}

/**
 * Insists that an image is signed as demanded: the index that led to it, or the manifest itself (V25). Gives what was
 * verified, for each demand one thing.
 *
 * Throws `SIGNATURE_MISSING`, `SIGNATURE_INVALID`, `IDENTITY_MISMATCH`, `ATTESTATION_MISSING` or `POLICY_REJECTED`, which
 * tells of every candidate why it is not what is wanted (V26).
 */
export async function insistOnTrust(
  image: SignedImage,
  requirements: TrustRequirements,
  { source, limits, ...options }: TrustContext,
): Promise<readonly VerifiedSignature[]> {
  const search = new SignatureSearch(source, limits, options);
  const open = openDemands(image, requirements, options);
  for (const subject of subjectsOf(image)) await judgeCandidates(search, subject, image, open);
  return insistOnDemands(image, open, search);
}

/** What is demanded of an image, none of it found yet; and tells by what it is judged. */
export function openDemands(
  image: SignedImage,
  { notes, demandsFor }: TrustRequirements,
  options: FetchOptions,
): readonly OpenDemand[] {
  for (const message of notes) options.onEvent?.({ type: "decision", topic: "signature", message });
  return demandsFor(image).map((demand) => new OpenDemand(demand, options));
}

/** What was verified for each demand. Throws the error of the first that is not fulfilled. */
export function insistOnDemands(
  image: SignedImage,
  open: readonly OpenDemand[],
  { isPossible, isOffline, otherFormats }: SignatureSearch,
): readonly VerifiedSignature[] {
  return open.map(({ demand, verified, failures }) => {
    if (verified === undefined) throw refusal(image, demand, { failures, otherFormats, isPossible, isOffline });
    return verified;
  });
}

/** Looks for what is still demanded, until nothing is. */
async function judgeCandidates(
  search: SignatureSearch,
  [of, digest]: SignedSubject,
  image: SignedImage,
  demands: readonly OpenDemand[],
): Promise<void> {
  const possible = demands.filter((demand) => demand.isAbout(digest, image));
  const open = () => possible.filter(({ verified }) => verified === undefined);
  if (open().length === 0) return;
  const wanted = {
    signatures: open().some(({ demand }) => demand.predicateType === undefined),
    attestations: open().some(({ demand }) => demand.predicateType !== undefined),
  };
  for await (const candidate of search.of(digest, wanted)) {
    for (const demand of open()) await demand.judge(candidate, of);
    if (open().length === 0) return;
  }
}

/** A demand, and what was found for it. */
export class OpenDemand {
  readonly demand: Demand;
  readonly failures: Failure[] = [];
  readonly #options: FetchOptions;
  #verified: VerifiedSignature | undefined;

  constructor(demand: Demand, options: FetchOptions) {
    this.demand = demand;
    this.#options = options;
  }

  /** What fulfils the demand. */
  get verified(): VerifiedSignature | undefined {
    return this.#verified;
  }

  /** Whether a signature of that manifest or index is one that counts. */
  isAbout(subject: Digest, { digest }: SignedImage): boolean {
    return this.demand.isOfManifest !== true || subject === digest;
  }

  /** Verifies that a candidate is what is demanded, if nothing else was. */
  async judge(candidate: SignatureCandidate, of: SignedSubject[0]): Promise<void> {
    if (this.#verified !== undefined || !isCandidateFor(this.demand, candidate)) return;
    const about = { digest: candidate.digest, of, format: candidate.format } as const;
    try {
      this.#verified = verifiedSignature(about, this.demand, await fulfilment(this.demand, candidate));
      this.#decided(`${described(about)} is by ${this.demand.signer.name}`);
    } catch (error) {
      const failure = failureOf(error);
      this.failures.push({ about, error: failure });
      this.#decided(`${described(about)} does not count: ${failure.message}`);
    }
  }

  #decided(message: string): void {
    this.#options.onEvent?.({ type: "decision", topic: "signature", message });
  }
}

function verifiedSignature(about: Failure["about"], { predicateType }: Demand, found: Fulfilment): VerifiedSignature {
  const verified = { ...about, ...found.by };
  if (predicateType === undefined) return verified;
  return { ...verified, predicateTypes: [predicateType], predicates: [found.stated.predicate] };
}
