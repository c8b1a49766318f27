import { type ErrorCode, type ErrorDetails, OciUnpackError, raising } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import { present } from "../base/present.ts";
import { errorCode, shortageOf } from "../base/system-error.ts";
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
  /** Whether the server takes TLS for a mistake. */
  readonly isWithoutTls?: boolean;
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

/**
 * Turns an error of Node's sockets, TLS or HTTP parser into a `RequestFailure`: what happened, and whether it may pass.
 */
export function networkFailure(error: unknown, host: string): unknown {
  if (error instanceof RequestFailure || error instanceof OciUnpackError) return error;
  const cause = firstOf(error);
  const code = errorCode(cause);
  if (code === undefined) return error;
  return certificateFailure(code, cause, host) ?? tlsFailure(code, cause, host) ?? connectionFailure(code, cause, host);
}

/** Does the same with an error of the connection to a proxy, whose certificate Node's own authorities alone vouch for. */
export function proxyFailure(error: unknown, proxy: URL): unknown {
  const failure = networkFailure(error, `the proxy ${proxy.host}`);
  if (!(failure instanceof RequestFailure) || !isOfUnknownAuthority(error)) return failure;
  return new RequestFailure(failure.code, failure.message, { ...failure.details, hint: proxyTrustHint });
}

/** If several addresses were tried, the error of the first one. */
function firstOf(error: unknown): unknown {
  return error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
}

const trustHint = "give its authority's certificate with `tls.ca`, or in certs.d";
const proxyTrustHint = "name a file with its authority's certificate in the variable NODE_EXTRA_CA_CERTS";

/** OpenSSL's errors about certificates: what is wrong, and what to do. */
const certificateProblems: Readonly<Record<string, readonly [found: string, hint: string]>> = {
  CERT_HAS_EXPIRED: ["has expired", "ask the registry's operator to renew it, and check this machine's clock"],
  CERT_NOT_YET_VALID: ["is not valid yet", "check this machine's clock"],
  DEPTH_ZERO_SELF_SIGNED_CERT: ["is signed by itself", trustHint],
  SELF_SIGNED_CERT_IN_CHAIN: ["comes from an authority that this machine does not know", trustHint],
  UNABLE_TO_GET_ISSUER_CERT: ["comes from an authority that this machine does not know", trustHint],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ["comes from an authority that this machine does not know", trustHint],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ["comes from an authority that this machine does not know", trustHint],
  ERR_TLS_CERT_ALTNAME_INVALID: ["is for another host", "use the name that the certificate is for"],
  CERT_REVOKED: ["was revoked", "ask the registry's operator"],
};

/** Whether an error says that a certificate comes from an authority that is not trusted. */
export function isOfUnknownAuthority(error: unknown): boolean {
  const [, hint] = certificateProblems[errorCode(error) ?? ""] ?? [];
  return hint === trustHint;
}

function certificateFailure(code: string, cause: unknown, host: string): RequestFailure | undefined {
  const [found, hint] = certificateProblems[code] ?? [];
  if (found === undefined || hint === undefined) {
    const isOther = /^(CERT_|UNABLE_TO_|INVALID_(CA|PURPOSE)|PATH_LENGTH_|HOSTNAME_MISMATCH|CA_MD_|EE_KEY_)/.test(code);
    return isOther
      ? new RequestFailure("CERTIFICATE", `the certificate of ${host} is refused: ${code}`, { cause, host })
      : undefined;
  }
  return new RequestFailure("CERTIFICATE", `the certificate of ${host} ${found}`, { hint, cause, host });
}

const clientHint =
  "give one that it takes with `tls.cert` and `tls.key`, or in certs.d, and see that it is still valid";

/** The failure of a server that lets in only who has a client certificate, or `another` one than was sent. */
export function wantsClientCertificate(
  which: "a" | "another",
  details: RequestFailureDetails,
  quote = "",
): RequestFailure {
  const found = `${details.host} wants ${which} client certificate${quote}`;
  return new RequestFailure("CERTIFICATE", found, { ...details, hint: clientHint });
}

function tlsFailure(code: string, cause: unknown, host: string): RequestFailure | undefined {
  if (/CERTIFICATE_REQUIRED/.test(code)) return wantsClientCertificate("a", { cause, host });
  // Before TLS 1.3 these also mean that the certificate is missing.
  if (/ALERT_(BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_|UNSUPPORTED_CERTIFICATE)/.test(code)) {
    return wantsClientCertificate("another", { cause, host }, `: ${code}`);
  }
  if (/^ERR_(SSL|OSSL|TLS)_|^EPROTO$/.test(code)) {
    const hint = "allow http with `plainHttp`, if the registry has no TLS";
    const details = { hint, cause, host, isWithoutTls: true };
    return new RequestFailure("UNREACHABLE", `${host} does not speak TLS: ${code}`, details);
  }
  return undefined;
}

const unreachable: Readonly<Record<string, readonly [found: string, temporary: boolean]>> = {
  ENOTFOUND: ["there is no host of that name", false],
  EAI_AGAIN: ["its name cannot be looked up at the moment", true],
  ECONNREFUSED: ["it refuses connections", false],
  ECONNRESET: ["it broke the connection off", true],
  EPIPE: ["it broke the connection off", true],
  ECONNABORTED: ["the connection was broken off", true],
  ETIMEDOUT: ["it does not answer", true],
  EHOSTUNREACH: ["there is no route to it", true],
  ENETUNREACH: ["there is no network to reach it by", true],
};

function connectionFailure(code: string, cause: unknown, host: string): RequestFailure {
  if (code === "HPE_HEADER_OVERFLOW") {
    return new RequestFailure("REGISTRY_ERROR", `the headers of ${host}'s answer are too long`, { cause, host });
  }
  if (code.startsWith("HPE_")) {
    return new RequestFailure("REGISTRY_ERROR", `${host} does not speak HTTP: ${code}`, {
      cause,
      host,
      temporary: true,
    });
  }
  const shortage = shortageOf(code);
  if (shortage !== undefined) {
    const { found, hint } = shortage;
    return new RequestFailure("OUT_OF_RESOURCES", `cannot reach ${host}: ${found}`, { cause, host, hint });
  }
  const [found, temporary] = unreachable[code] ?? [code, false];
  const hint = code === "ENOTFOUND" ? "check the name's spelling, and this machine's DNS" : undefined;
  return new RequestFailure("UNREACHABLE", `cannot reach ${host}: ${found}`, present({ cause, host, temporary, hint }));
}
