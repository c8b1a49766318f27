import { VerificationError } from "@sigstore/verify";
import { isOciUnpackError } from "../../base/errors.ts";
import { NotSigned } from "../candidate.ts";

/** Whatever goes wrong with what others made is a verdict about it. */
export function asVerdict<T>(judge: () => T): T {
  try {
    return judge();
  } catch (error) {
    if (error instanceof NotSigned || isOciUnpackError(error, "SIGNATURE_INVALID")) throw error;
    throw new NotSigned(reasonOf(error), { cause: error });
  }
}

const reasons: Readonly<Record<string, string>> = {
  TIMESTAMP_ERROR: "its timestamp does not hold",
  SIGNATURE_ERROR: "somebody else made the signature",
};

function reasonOf(error: unknown): string {
  const message = (error instanceof Error ? error.message : String(error)).slice(0, 200);
  if (!(error instanceof VerificationError)) return `it cannot be verified: ${message}`;
  const reason = error.code.startsWith("TLOG_") ? "its log entry does not hold" : reasons[error.code];
  return `${reason ?? "it cannot be verified"}: ${message}`;
}
