import { type ErrorCode, type FailedSignature, OciUnpackError } from "../base/errors.ts";
import { type NotSigned, OtherContent, OtherIdentity, OtherStatement } from "./candidate.ts";
import type { Demand } from "./demand.ts";
import type { SignedImage, Subjects } from "./signed-image.ts";

/** A candidate that is not what was demanded. */
export interface Failure {
  readonly about: Omit<FailedSignature, "reason">;
  readonly error: NotSigned;
}

/** What was found instead of what was demanded. */
export interface SearchFindings {
  readonly failures: readonly Failure[];
  /** The formats of signatures that were found and are not supported. */
  readonly otherFormats: readonly string[];
  /** Whether there can be signatures at all where the image comes from. */
  readonly isPossible: boolean;
  /** Whether only a store was asked. */
  readonly isOffline: boolean;
}

/** The error of an image for which a demand is not fulfilled. It tells of every candidate why it does not count (V26). */
export function refusal(
  { reference }: SignedImage,
  [[, subject]]: Subjects,
  demand: Demand,
  findings: SearchFindings,
): OciUnpackError {
  const kind = demand.predicateType === undefined ? "signature" : `"${demand.predicateType}" attestation`;
  const code = codeOf(demand, findings);
  const wanted = `a ${kind} of ${subject} by ${demand.signer.name} is demanded`;
  const signatures = findings.failures.map(({ about, error }) => ({ ...about, reason: error.message }));
  return new OciUnpackError(code, `cannot trust "${reference}": ${wanted}, and ${found(findings)}`, {
    hint:
      offlineHint(findings) ??
      hints[code] ??
      attestedHint(demand, findings) ??
      `check that the ${demand.origin === "keys" ? "key" : "identity"} is the one of whoever publishes the image`,
    details: signatures.length === 0 ? { digest: subject } : { digest: subject, signatures },
  });
}

const hints: Partial<Readonly<Record<ErrorCode, string>>> = {
  SIGNATURE_MISSING: "ask whoever publishes the image whether, and how, it is signed",
  ATTESTATION_MISSING: "ask whoever publishes the image which attestations there are",
  IDENTITY_MISMATCH: "check who publishes the image, and under which identity",
  POLICY_REJECTED: "sign the image as the policy demands it, or choose another policy",
};

function offlineHint({ failures, isOffline }: SearchFindings): string | undefined {
  return isOffline && failures.length === 0
    ? "demand the same once without `offline`: then the store keeps it"
    : undefined;
}

function attestedHint({ predicateType }: Demand, { failures }: SearchFindings): string | undefined {
  if (predicateType !== undefined || !(nearest(failures)?.error instanceof OtherStatement)) return undefined;
  return "demand the attestation by its type (`trust.attestations`), or ask whoever publishes the image for a signature";
}

/** The failure that is told: of what the demanded signer made, else of what names another one, else the first. */
function nearest(failures: readonly Failure[]): Failure | undefined {
  const isOf = (kind: typeof OtherContent | typeof OtherIdentity) =>
    failures.find(({ error }) => error instanceof kind);
  return isOf(OtherContent) ?? isOf(OtherIdentity) ?? failures[0];
}

function codeOf({ origin, predicateType }: Demand, { failures }: SearchFindings): ErrorCode {
  if (origin === "policy") return "POLICY_REJECTED";
  const counted =
    predicateType === undefined ? failures : failures.filter(({ error }) => !(error instanceof OtherStatement));
  if (counted.length === 0) return predicateType === undefined ? "SIGNATURE_MISSING" : "ATTESTATION_MISSING";
  return counted.some(({ error }) => error instanceof OtherIdentity) ? "IDENTITY_MISMATCH" : "SIGNATURE_INVALID";
}

function othersText(count: number): string {
  if (count === 0) return "";
  return count === 1 ? " (and 1 more does not count)" : ` (and ${count} more do not count)`;
}

function found({ failures, otherFormats, isPossible, isOffline }: SearchFindings): string {
  const told = nearest(failures);
  if (told !== undefined) {
    return `${described(told.about)} does not count: ${told.error.message}${othersText(failures.length - 1)}`;
  }
  if (!isPossible) return "where it comes from there can be none";
  if (isOffline) return "there is none in the store";
  return otherFormats.length === 0
    ? "there is none"
    : `there is none but of ${otherFormats.join(" and ")}, which is not supported`;
}

const formatNames: Readonly<Record<FailedSignature["format"], string>> = {
  bundle: "bundle",
  "simple-signing": "simple signing",
  attestation: "attestation",
};

/** A candidate in words. */
export function described({ format, digest, of }: Omit<FailedSignature, "reason">): string {
  return `the ${formatNames[format]} ${digest} about the ${of}`;
}
