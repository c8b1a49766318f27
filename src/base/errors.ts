import type { Limits } from "./limits.ts";
import { present } from "./present.ts";

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
  | "NOT_AN_ARTIFACT"
  | "PLATFORM_NOT_FOUND"
  // Who signed it.
  | "SIGNATURE_MISSING"
  | "SIGNATURE_INVALID"
  | "IDENTITY_MISMATCH"
  | "ATTESTATION_MISSING"
  | "POLICY_REJECTED"
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

/** The facts that a message tells people, for programs. Each is there where it is known, and where it matters. */
export interface ErrorDetails {
  /** The layer's number, from 0 at the bottom of the image, as in events; messages count from 1. */
  readonly layer?: number;
  /** A path in the image, from its root. Of one that is longer than 8,192 characters the beginning, with `…`. */
  readonly path?: string;
  /** The digest by which something was asked for; of a layer that is not what the configuration says, its diffID. */
  readonly digest?: string;
  /** Which limit is exceeded. */
  readonly limit?: keyof Limits;
  /** What that limit is now. */
  readonly allowed?: number;
  /** The registry that the image's name begins with. */
  readonly registry?: string;
  /** Who answered, or did not, as `host[:port]`: the registry, or a mirror, a token server, where a redirect led. */
  readonly host?: string;
  /** The HTTP status of the answer. */
  readonly status?: number;
  /** The option that makes no sense, as the library calls it: `platform`, or `limits.entries`. */
  readonly option?: string;
  /** The name of the error with which a system call failed, such as "EACCES". */
  readonly errno?: string;
  /** What is stored as a signature of the image, and why each is not the one that is wanted. */
  readonly signatures?: readonly FailedSignature[];
}

/** Something that is stored as a signature, and why it is not the one that is wanted. */
export interface FailedSignature {
  /** The digest of what was found: of a payload or envelope, or of the manifest that has a bundle. */
  readonly digest: string;
  /** Whether it is stored for the index that led to the image, or for the image's manifest. */
  readonly of: "index" | "manifest";
  readonly format: "simple-signing" | "bundle" | "attestation";
  readonly reason: string;
}

/** What an error may have besides its message. */
export interface OciUnpackErrorOptions {
  /** The next step for whoever reads the message, as an imperative clause. */
  readonly hint?: string;
  /** The facts of the error, for programs. */
  readonly details?: ErrorDetails;
  /** What went wrong underneath. */
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
  /** What the message tells, as facts. Without any, an empty object. */
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, { hint, details = {}, cause }: OciUnpackErrorOptions = {}) {
    super(cut(message), cause === undefined ? undefined : { cause });
    this.name = "OciUnpackError";
    this.code = code;
    this.hint = hint === undefined ? undefined : cut(hint);
    this.details = details.path === undefined ? details : { ...details, path: cut(details.path) };
  }
}

function cut(text: string): string {
  return text.length > longestText ? `${text.slice(0, longestText)}…` : text;
}

/** What an error is about that exceeds a limit. */
interface Excess extends Pick<ErrorDetails, "allowed" | "path" | "digest"> {
  /** What to say before the usual next step. */
  readonly suspicion?: string;
}

/** Something of the image is larger in some respect than the caller allows. `allowed` is what the limit is now. */
export function limitExceeded(message: string, limit: keyof Limits, excess: Excess = {}): OciUnpackError {
  const { suspicion, ...details } = excess;
  const hint = raising(limit, excess.allowed);
  return new OciUnpackError("LIMIT_EXCEEDED", message, {
    hint: suspicion === undefined ? hint : `${suspicion}; ${hint}`,
    details: { limit, ...details },
  });
}

/** The next step where a limit is exceeded. */
export function raising(limit: keyof Limits, allowed?: number): string {
  return `raise the limit ${limit}${allowed === undefined ? "" : `, now ${allowed},`} if you trust the image`;
}

/** The same error about something that its maker did not know: with more facts, or told otherwise. */
export function retold(error: OciUnpackError, message: string, more: OciUnpackErrorOptions = {}): OciUnpackError {
  const { code, hint, cause } = error;
  return new OciUnpackError(code, message, {
    ...present({ hint, cause }),
    ...more,
    details: { ...error.details, ...more.details },
  });
}

/** Tells whether an error is one of ours and, where codes are given, one of those. */
export function isOciUnpackError(error: unknown, ...codes: readonly ErrorCode[]): error is OciUnpackError {
  return error instanceof OciUnpackError && (codes.length === 0 || codes.includes(error.code));
}
