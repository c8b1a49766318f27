import { present } from "../base/present.ts";
import type { HttpResponse } from "./http.ts";
import { STATUS_CODES } from "./node-http.ts";
import { RequestFailure, type RequestFailureDetails, wantsClientCertificate } from "./request-failure.ts";
import { retryAfterMilliseconds } from "./retry.ts";
import type { Secrets } from "./secrets.ts";
import { proxyWantsLogin } from "./tunnel.ts";

/** Statuses of failures that may pass, with those that only proxies use (499, 52x, 529). */
const temporary = new Set([408, 425, 429, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529]);

const errorBytes = 64 * 1024;
const quotedCharacters = 200;

/** Whether a status says that the same request may succeed later. */
export function isTemporaryStatus(status: number): boolean {
  return temporary.has(status);
}

/** Turns a response that is an error into a `RequestFailure`, with what the registry says in it. */
export async function statusFailure(response: HttpResponse, secrets: Secrets): Promise<RequestFailure> {
  const { status } = response;
  const { host } = response.url;
  const text = (await response.body.beginning(errorBytes)).toString("utf8");
  const said = saidIn(text, response.headers["content-type"]);
  // Only after JSON was decoded: in JSON a password may be written with escapes.
  const words = secrets.redacted(said.text, response.url).slice(0, quotedCharacters);
  const quote = words === "" ? "" : `: ${words}`;
  const details: RequestFailureDetails = present({
    status,
    host,
    temporary: temporary.has(status),
    retryAfterMilliseconds: temporary.has(status) ? retryAfterMilliseconds(response.headers) : undefined,
  });

  if (status === 404) return notFound(said.code, quote, details, response.url);
  if (status === 401) return new RequestFailure("UNAUTHORIZED", `${host} wants a login${quote}`, details);
  if (status === 403)
    return new RequestFailure("FORBIDDEN", `${host} denies access (403 Forbidden)${quote}`, {
      ...details,
      hint: forbiddenHint,
    });
  if (status === 407) return proxyWantsLogin(host, details);
  if (status === 429) return new RequestFailure("RATE_LIMITED", `${host} limits the rate of requests${quote}`, details);
  if (status === 400 && response.url.protocol === "https:") {
    // nginx ends the handshake without one, and says so afterwards in a page.
    if (/No required SSL certificate was sent/.test(text)) return wantsClientCertificate("a", details);
    if (/The SSL certificate error/.test(text)) return wantsClientCertificate("another", details);
  }
  const reason = STATUS_CODES[status];
  const found = `${host} answers ${status}${reason === undefined ? "" : ` ${reason}`}${quote}`;
  return new RequestFailure("REGISTRY_ERROR", found, { ...details, ...plainHttpHint(status, text) });
}

const forbiddenHint = "check that the account may pull from this repository";
const missingHint = "check the name and the tag, and whether it is a private image";
const lostBlobHint = "the registry has lost a part of the image: push it again";

function notFound(
  code: string | undefined,
  quote: string,
  details: RequestFailureDetails,
  { pathname }: URL,
): RequestFailure {
  // A proxy or a storage in front of the registry has no codes. Linear: what `[^/]+` takes begins behind a slash.
  const isBlob = code === "BLOB_UNKNOWN" || (code === undefined && /\/blobs\/[^/]+$/.test(pathname));
  const what = code === "NAME_UNKNOWN" ? "repository" : isBlob ? "blob" : "manifest";
  const found =
    code === undefined
      ? `${details.host} answers 404 Not Found${quote}`
      : `${details.host} has no such ${what}${quote}`;
  return new RequestFailure("NOT_FOUND", found, { ...details, hint: what === "blob" ? lostBlobHint : missingHint });
}

/** The hint for the answer of a server that expects TLS and is asked without it. */
function plainHttpHint(status: number, text: string): { hint?: string } {
  if (status !== 400 || !/HTTP request to an HTTPS server|plain HTTP request was sent to HTTPS port/i.test(text))
    return {};
  return {
    hint: "this registry uses TLS: leave `plainHttp` out; on a loopback address, give its authority with `tls.ca`",
  };
}

/**
 * The first error in an OCI error document (distribution-spec, "Error Codes"), or a line of plain text; not a web page.
 */
function saidIn(text: string, contentType = ""): { readonly code?: string; readonly text: string } {
  const error = firstError(text);
  if (error !== undefined) {
    const { code, message } = error;
    return {
      code,
      text: [code, message].filter((part) => part !== "").join(": "),
    };
  }
  if (!contentType.startsWith("text/plain")) return { text: "" };
  return { text: text.trim().split("\n", 1)[0] ?? "" };
}

function firstError(text: string): { readonly code: string; readonly message: string } | undefined {
  try {
    const { errors } = JSON.parse(text) as { errors?: unknown };
    const [first] = Array.isArray(errors) ? (errors as unknown[]) : [];
    if (typeof first !== "object" || first === null) return undefined;
    const { code, message } = first as { code?: unknown; message?: unknown };
    return { code: typeof code === "string" ? code : "", message: typeof message === "string" ? message : "" };
  } catch {
    return undefined;
  }
}
