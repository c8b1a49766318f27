import { isOciUnpackError, type OciUnpackError } from "../base/errors.ts";
import { present } from "../base/present.ts";
import { failureOf, type SignatureCandidate } from "./candidate.ts";
import { type Demand, type Fulfilment, shortfall, verification } from "./demand.ts";
import type { StoredSignature, VerifiedSignature } from "./options.ts";
import type { TrustRequirements } from "./read-trust.ts";
import { SignatureSearch } from "./signature-search.ts";
import { signedContent } from "./signed-content.ts";
import { type SignedImage, subjectsOf } from "./signed-image.ts";
import { insistOnDemands, type OpenDemand, openDemands, type TrustContext } from "./trust.ts";

/** All that is stored as signatures of an image. */
export interface SignatureReview {
  readonly signatures: readonly StoredSignature[];
  /** The formats of signatures that are there too, and are not supported. */
  readonly otherFormats: readonly string[];
  /** For each demand what fulfils it; absent where nothing was demanded, or something is not fulfilled. */
  readonly verified?: readonly VerifiedSignature[];
  /** The error of the first demand that is not fulfilled. */
  readonly refusal?: OciUnpackError;
}

/**
 * Finds all that is stored as signatures of an image, and verifies each by what is demanded; it does not end at the first
 * good one.
 */
export async function reviewSignatures(
  image: SignedImage,
  requirements: TrustRequirements | undefined,
  { source, limits, ...options }: TrustContext,
): Promise<SignatureReview> {
  const search = new SignatureSearch(source, limits, options);
  const { demands, refusal } = await demandsOf(image, requirements, { source, limits, ...options });
  const signatures: StoredSignature[] = [];
  for (const [of, subject] of subjectsOf(image)) {
    for await (const candidate of search.of(subject, { signatures: true, attestations: true })) {
      const counting = demands.filter((demand) => demand.isAbout(subject));
      for (const demand of counting) await demand.judge(candidate, of);
      const { digest, format } = candidate;
      const verdict = await (counting.length === 0 ? unjudged(candidate, demands) : verdictOn(candidate, counting));
      signatures.push({ digest, of, format, ...verdict });
    }
  }
  const found = { signatures, otherFormats: search.otherFormats };
  if (requirements === undefined) return found;
  if (refusal !== undefined) return { ...found, refusal };
  try {
    return { ...found, verified: insistOnDemands(image, demands, search) };
  } catch (error) {
    if (isOciUnpackError(error)) return { ...found, refusal: error };
    throw error;
  }
}

/** What is demanded, or the error of a policy that no signature could fulfil. */
async function demandsOf(
  image: SignedImage,
  requirements: TrustRequirements | undefined,
  context: TrustContext,
): Promise<{ readonly demands: readonly OpenDemand[]; readonly refusal?: OciUnpackError }> {
  if (requirements === undefined) return { demands: [] };
  try {
    return { demands: await openDemands(image, requirements, context) };
  } catch (error) {
    if (isOciUnpackError(error, "POLICY_REJECTED")) return { demands: [], refusal: error };
    throw error;
  }
}

type Verdict = Omit<StoredSignature, "digest" | "of" | "format">;

/** What is told of a candidate that nobody verifies. */
async function unjudged(candidate: SignatureCandidate, demands: readonly OpenDemand[]): Promise<Verdict> {
  const claims = await claimsOf(candidate);
  const reason = demands.length === 0 ? claims.reason : "a signature of the manifest is demanded";
  return present({ ...claims, verdict: "not verified" as const, reason });
}

/** What comes of verifying a candidate by all who are demanded: it is verified if one of them made it. */
async function verdictOn(candidate: SignatureCandidate, demands: readonly OpenDemand[]): Promise<Verdict> {
  const verdicts: Verdict[] = [];
  const reasons = new Set<string>();
  for (const { demand } of demands) {
    try {
      verdicts.push(verdictOf(demand, await verification(demand, candidate)));
    } catch (error) {
      reasons.add(failureOf(error).message);
    }
  }
  const [verified = undefined] = verdicts.toSorted((one, other) => Number("reason" in one) - Number("reason" in other));
  return verified ?? { ...(await claimsOf(candidate)), verdict: "rejected", reason: [...reasons].join("; ") };
}

/** Who is demanded made it: whether it states what is demanded too is said in `reason`. */
function verdictOf(demand: Demand, { by, stated }: Fulfilment): Verdict {
  const { predicateType, predicate } = stated;
  return present({ ...by, predicateType, predicate, verdict: "verified" as const, reason: shortfall(demand, stated) });
}

/** What a candidate says of itself, as far as it makes sense. Nothing of it is verified. */
async function claimsOf(candidate: SignatureCandidate): Promise<Omit<Verdict, "verdict">> {
  try {
    const { hasCertificate, stated } = signedContent(candidate);
    const { predicateType } = stated();
    if (!hasCertificate) return present({ predicateType });
    const { claimedSigner } = await import("./keyless/claims.ts");
    return { ...claimedSigner(candidate), ...present({ predicateType }) };
  } catch (error) {
    return { reason: failureOf(error).message };
  }
}
