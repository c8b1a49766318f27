import { OtherContent, OtherStatement, type SignatureCandidate } from "./candidate.ts";
import { type SignedStatement, signedContent } from "./signed-content.ts";
import type { Signer, SignerEvidence } from "./signer.ts";

/** One thing that is demanded of an image. One signature or attestation is enough for it (V9). */
export interface Demand {
  /** What demands it: its failure is the policy's where that is it. */
  readonly origin: "keys" | "identities" | "policy";
  readonly signer: Signer;
  /** The type of the attestation that is demanded; absent where a signature is. */
  readonly predicateType?: string;
  /** Whether only the manifest that was chosen counts, and not the index that led to it (V25). */
  readonly isOfManifest?: boolean;
  /** Throws `OtherContent` for what was signed under a name that does not count. */
  readonly acceptName?: (stated: SignedStatement, candidate: SignatureCandidate) => void;
}

/** What was verified of a candidate. */
export interface Fulfilment {
  readonly by: SignerEvidence;
  readonly stated: SignedStatement;
}

/** The predicate of a statement that is nothing but a signature (V6). */
const signaturePredicate = "https://sigstore.dev/cosign/sign/v1";

/** Whether a candidate of that format can be what is demanded. */
export function isCandidateFor({ predicateType }: Demand, { format }: SignatureCandidate): boolean {
  return format === "bundle" || (format === "attestation") === (predicateType !== undefined);
}

/**
 * Verifies that a candidate is what is demanded: who signed it, that it is about exactly this manifest or index (V2), and
 * that it states what is wanted (V5, V6). Throws `NotSigned`, or `SIGNATURE_INVALID` for what makes no sense.
 */
export async function fulfilment(demand: Demand, candidate: SignatureCandidate): Promise<Fulfilment> {
  const found = await verification(demand, candidate);
  const missing = shortfall(demand, found.stated);
  if (missing !== undefined) throw new OtherStatement(missing);
  return found;
}

/**
 * Verifies who signed a candidate, and that it is about exactly this manifest or index (V2), whatever it states. Throws
 * `NotSigned`, or `SIGNATURE_INVALID` for what makes no sense.
 */
export async function verification(demand: Demand, candidate: SignatureCandidate): Promise<Fulfilment> {
  const content = signedContent(candidate);
  const by = await demand.signer.verify(content);
  const stated = content.stated();
  insistOnSubject(stated, candidate);
  demand.acceptName?.(stated, candidate);
  return { by, stated };
}

/** In which way a statement is not the one that is demanded; `undefined` if it is (V5, V6). */
export function shortfall({ predicateType: wanted }: Demand, { predicateType }: SignedStatement): string | undefined {
  // A simple signing has no predicate: it can only be a signature.
  const isWanted =
    wanted === undefined
      ? predicateType === undefined || predicateType === signaturePredicate
      : predicateType === wanted;
  if (isWanted) return undefined;
  const found = predicateType === undefined ? "it attests nothing" : `it attests "${predicateType.slice(0, 200)}"`;
  return wanted === undefined ? `${found}, and is no signature` : found;
}

function insistOnSubject({ subjects, reference }: SignedStatement, { subject }: SignatureCandidate): void {
  if (subjects.includes(subject)) return;
  const [other = "something else"] = reference === undefined ? [] : subjects;
  throw new OtherContent(
    reference === undefined ? "its statement is about something else" : `it is a signature of ${other}`,
  );
}
