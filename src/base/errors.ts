/** Every way in which this library fails, as words that programs may compare. docs/errors.md explains each. */
export type ErrorCode =
  // What the caller said.
  | "INVALID_REFERENCE"
  | "INVALID_PLATFORM"
  | "INVALID_OPTION"
  | "CONFIGURATION"
  // What the registry, or another source, answered.
  | "NOT_FOUND"
  | "UNAUTHORIZED"
  | "CREDENTIALS_REJECTED"
  | "FORBIDDEN"
  | "RATE_LIMITED"
  | "UNREACHABLE"
  | "TIMEOUT"
  | "CERTIFICATE"
  | "POLICY_DENIED"
  | "REGISTRY_ERROR"
  // What the documents of the image say.
  | "INVALID_MANIFEST"
  | "INVALID_CONFIG"
  | "UNSUPPORTED_MEDIA_TYPE"
  | "NOT_AN_IMAGE"
  | "PLATFORM_NOT_FOUND"
  // What the bytes turned out to be.
  | "UNSUPPORTED_DIGEST"
  | "DIGEST_MISMATCH"
  | "SIZE_MISMATCH"
  | "DIFF_ID_MISMATCH"
  | "CORRUPT_LAYER"
  | "INVALID_ARCHIVE"
  | "ENTRY_REFUSED"
  | "LIMIT_EXCEEDED"
  | "STRICT_VIOLATION"
  | "NOT_A_FILE"
  // What this machine allowed.
  | "TARGET_NOT_EMPTY"
  | "TARGET_UNUSABLE"
  | "FILE_SYSTEM"
  | "NO_SPACE"
  | "OUT_OF_RESOURCES"
  | "SANDBOX_UNAVAILABLE"
  | "UNSUPPORTED_SYSTEM"
  | "TOOL_MISSING"
  | "TOOL_FAILED"
  | "INTERNAL";

/** What an error may carry besides its message. */
export interface ErrorDetails {
  /** The next step for whoever reads the message, as an imperative clause. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** Longer than any message of ours, if a registry or an image has no part in it. */
const longestText = 8192;

/**
 * The one class of error that this library throws, apart from an `AbortSignal`'s own reason.
 *
 * The message is one clause: what could not be done, a colon, what was found. It may quote text that a registry or an
 * image chose, up to a length; whoever prints it to a terminal escapes control characters first.
 */
export class OciUnpackError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(cut(message), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "OciUnpackError";
    this.code = code;
    this.hint = details.hint === undefined ? undefined : cut(details.hint);
  }
}

function cut(text: string): string {
  return text.length > longestText ? `${text.slice(0, longestText)}…` : text;
}

/** Tells whether an error is one of ours and, where codes are given, one of those. */
export function isOciUnpackError(error: unknown, ...codes: readonly ErrorCode[]): error is OciUnpackError {
  return error instanceof OciUnpackError && (codes.length === 0 || codes.includes(error.code));
}
