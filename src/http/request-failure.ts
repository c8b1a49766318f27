import { type ErrorCode, OciUnpackError } from "../base/errors.ts";
import { present } from "../base/present.ts";
import type { Secrets } from "./secrets.ts";

export interface RequestFailureDetails {
  readonly hint?: string;
  readonly cause?: unknown;
  /** Whether the same request may well succeed a little later. */
  readonly temporary?: boolean;
  /** The HTTP status, where there was an answer. */
  readonly status?: number;
  /** How long the server asks to be left alone. */
  readonly retryAfterMilliseconds?: number;
  /** A link that the registry gave does not work. */
  readonly isBadLink?: boolean;
  /** Who failed, where more than one place is asked: `host[:port]`. */
  readonly host?: string;
}

/**
 * What was found where a request failed, before anyone says what it was for.
 *
 * It never leaves this folder: `cannot("fetch …", failure)` makes the error that users see.
 */
export class RequestFailure extends Error {
  readonly code: ErrorCode;
  readonly details: RequestFailureDetails;

  /** `found` is the part of the message after the colon. */
  constructor(code: ErrorCode, found: string, details: RequestFailureDetails = {}) {
    super(found, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "RequestFailure";
    this.code = code;
    this.details = details;
  }
}

/**
 * Says what was attempted, without what is among the secrets. Anything but a RequestFailure is passed on as it is: an abort's
 * reason, a listener's error.
 */
export function cannot(attempt: string, problem: unknown, secrets?: Secrets): unknown {
  if (!(problem instanceof RequestFailure)) return problem;
  const redacted = (text: string) => secrets?.redacted(text) ?? text;
  const hint = problem.details.hint === undefined ? undefined : redacted(problem.details.hint);
  const cause = secrets === undefined ? problem.details.cause : secrets.cleansedCause(problem.details.cause);
  return new OciUnpackError(problem.code, `cannot ${attempt}: ${redacted(problem.message)}`, present({ hint, cause }));
}

/** Whether trying the same thing again may help. */
export function isTemporary(problem: unknown): problem is RequestFailure {
  return problem instanceof RequestFailure && problem.details.temporary === true;
}
