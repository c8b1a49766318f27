import type { FetchOptions } from "../base/events.ts";
import type { Limits } from "../base/limits.ts";
import { present } from "../base/present.ts";
import type { ImageSource } from "../blob/image-source.ts";
import type { Digest } from "../oci/digest.ts";
import { parseReference } from "../oci/reference.ts";
import { failureOf, type SignatureCandidate } from "./candidate.ts";
import { type Demand, type Fulfilment, fulfilment, isCandidateFor } from "./demand.ts";
import type { VerifiedSignature } from "./options.ts";
import type { TrustRequirements } from "./read-trust.ts";
import { described, type Failure, refusal } from "./refusal.ts";
import { SignatureSearch } from "./signature-search.ts";
import { instancesOf, type SignedImage, type SignedSubject, type Subjects, subjectsOf } from "./signed-image.ts";

/** How signatures are looked for. */
export interface TrustContext extends FetchOptions {
  readonly source: ImageSource;
  readonly limits: Limits;
  /** The name in a registry that a policy decides by; otherwise that of the source. */
  readonly asked?: string;
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
  const open = await openDemands(image, requirements, { source, limits, ...options });
  const all = new Map([...subjectsOf(image), ...instancesOf(image)].map((subject) => [subject[1], subject]));
  for (const subject of all.values()) await judgeCandidates(search, subject, open);
  return insistOnDemands(image, open, search);
}

/** What is demanded of an image, none of it found yet; and tells by what it is judged. */
export async function openDemands(
  image: SignedImage,
  { notes, demandsFor }: TrustRequirements,
  { source, asked, ...options }: TrustContext,
): Promise<readonly OpenDemand[]> {
  for (const message of notes) options.onEvent?.({ type: "decision", topic: "signature", message });
  const { name, location } = source;
  const isAsked = asked !== undefined && location?.transport === "docker";
  const place = isAsked ? { transport: location.transport, reference: parseReference(asked) } : location;
  const demands = await demandsFor({ name, ...present({ location: place }) }, options);
  return demands.flatMap((demand) =>
    subjectsFor(demand, image).map((subjects) => new OpenDemand(demand, subjects, options)),
  );
}

/** What was verified for each demand. Throws the error of the first that is not fulfilled. */
export function insistOnDemands(
  image: SignedImage,
  open: readonly OpenDemand[],
  { isPossible, isOffline, otherFormats }: SignatureSearch,
): readonly VerifiedSignature[] {
  const found = { isPossible, isOffline, otherFormats };
  return open.map(({ demand, subjects, verified, failures }) => {
    if (verified === undefined) throw refusal(image, subjects, demand, { failures, ...found });
    return verified;
  });
}

/** What a demand is about: for each list one signature, of anything in it. */
function subjectsFor({ isOfManifest }: Demand, image: SignedImage): readonly Subjects[] {
  return isOfManifest === true ? instancesOf(image).map((instance) => [instance]) : [subjectsOf(image)];
}

/** Looks for what is still demanded, until nothing is. */
async function judgeCandidates(
  search: SignatureSearch,
  [of, digest]: SignedSubject,
  demands: readonly OpenDemand[],
): Promise<void> {
  const possible = demands.filter((demand) => demand.isAbout(digest));
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
  /** A signature of one of these is enough. */
  readonly subjects: Subjects;
  readonly failures: Failure[] = [];
  readonly #options: FetchOptions;
  #verified: VerifiedSignature | undefined;

  constructor(demand: Demand, subjects: Subjects, options: FetchOptions) {
    this.demand = demand;
    this.subjects = subjects;
    this.#options = options;
  }

  /** What fulfils the demand. */
  get verified(): VerifiedSignature | undefined {
    return this.#verified;
  }

  /** Whether a signature of that manifest or index is one that counts. */
  isAbout(digest: Digest): boolean {
    return this.subjects.some(([, each]) => each === digest);
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
