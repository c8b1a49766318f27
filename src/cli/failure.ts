import type { ErrorCode } from "../index.ts";
import { Interruption } from "./interrupt.ts";
import { nextStep } from "./next-step.ts";
import { exitCodes } from "./surroundings.ts";

/** An error as the command tells it, in words or as JSON. */
export interface Failure {
  readonly code: ErrorCode | "INTERRUPTED";
  readonly message: string;
  readonly hint: string | undefined;
  readonly exitCode: number;
}

/** Errors that blame what was typed, or configured, rather than the world. */
const usageCodes: ReadonlySet<string> = new Set<ErrorCode>(["INVALID_REFERENCE", "INVALID_PLATFORM", "INVALID_OPTION"]);

/** What to tell about anything that was thrown. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Interruption) {
    return { code: "INTERRUPTED", message: error.message, hint: undefined, exitCode: error.exitCode };
  }
  if (isCoded(error)) {
    const exitCode = usageCodes.has(error.code) ? exitCodes.usage : exitCodes.failed;
    return { code: error.code, message: error.message, hint: error.hint ?? nextStep[error.code], exitCode };
  }
  return {
    code: "INTERNAL",
    message: `cannot go on: ${error instanceof Error ? error.message : String(error)}`,
    hint: nextStep.INTERNAL,
    exitCode: exitCodes.failed,
  };
}

interface CodedError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
}

/** Told by name, not by class: an error must be reportable even where the library itself could not be loaded. */
function isCoded(error: unknown): error is CodedError {
  return error instanceof Error && (error.name === "OciUnpackError" || error.name === "UsageError") && "code" in error;
}
