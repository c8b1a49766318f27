import { type ErrorCode, type ErrorDetails, OciUnpackError, raising } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import { present } from "../base/present.ts";
import type { Secrets } from "./secrets.ts";

export interface RequestFailureDetails extends Pick<ErrorDetails, "host" | "status" | "limit" | "allowed"> {
  readonly hint?: string;
  readonly cause?: unknown;
  /** Whether the same request may well succeed a little later. */
  readonly temporary?: boolean;
  /** How long the server asks its clients to wait. */
  readonly retryAfterMilliseconds?: number;
  /** Whether it was a link from the registry that did not work. */
  readonly isBadLink?: boolean;
}

/**
 * Why a request failed, without what it was for.
 *
 * It never reaches the caller of the library: `cannot("fetch …", failure)` makes the error that users see.
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

/** What whoever attempted something knows of it. */
interface Circumstances extends Pick<ErrorDetails, "registry"> {
  readonly digest?: string | undefined;
  /** What no error may repeat. */
  readonly secrets?: Secrets;
}

/**
 * Turns a `RequestFailure` into the error that users see: it says what was attempted and contains none of the secrets.
 * Any other error is returned unchanged, such as the reason of an abort.
 */
export function cannot(attempt: string, problem: unknown, { secrets, ...known }: Circumstances = {}): unknown {
  if (!(problem instanceof RequestFailure)) return problem;
  const { host, status, limit, allowed } = problem.details;
  const redacted = (text: string) => secrets?.redacted(text) ?? text;
  const hint = problem.details.hint === undefined ? undefined : redacted(problem.details.hint);
  const cause = secrets === undefined ? problem.details.cause : secrets.cleansedCause(problem.details.cause);
  return new OciUnpackError(problem.code, `cannot ${attempt}: ${redacted(problem.message)}`, {
    ...present({ hint, cause }),
    details: present({ ...known, host, status, limit, allowed }),
  });
}

/** What was found where a server sends more than `allowed` bytes; `limit` is the caller's, where it is one of those. */
export function tooLarge(found: string, host: string, allowed: number, limit?: keyof Limits): RequestFailure {
  if (limit === undefined) return new RequestFailure("LIMIT_EXCEEDED", found, { host });
  return new RequestFailure("LIMIT_EXCEEDED", found, { host, limit, allowed, hint: raising(limit, allowed) });
}

/** Whether the same request may succeed later. */
export function isTemporary(problem: unknown): problem is RequestFailure {
  return problem instanceof RequestFailure && problem.details.temporary === true;
}
