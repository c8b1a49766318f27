import { Failure } from "./failure.ts";
import type { HttpResponse } from "./http.ts";

export const mostRedirects = 5;

const redirects = new Set([301, 302, 303, 307, 308]);

export function isRedirect({ status, headers }: HttpResponse): boolean {
  return redirects.has(status) && headers.location !== undefined;
}

/** Where a redirect leads. Refuses what is no http address, and what readers might understand differently. */
export function redirectTarget(response: HttpResponse): URL {
  const { host } = response.url;
  const location = response.headers.location ?? "";
  if (/[\x00-\x1f\\\x7f]/.test(location) || !URL.canParse(location, response.url.href)) {
    throw new Failure("REGISTRY_ERROR", `${host} redirects to what is no URL`, { host });
  }
  const target = new URL(location, response.url);
  if (target.protocol !== "https:" && target.protocol !== "http:") {
    throw new Failure("POLICY_DENIED", `${host} redirects to "${target.protocol.slice(0, 40)}"`, { host });
  }
  // A user and password in a location would be sent as credentials by others; here they are dropped.
  target.username = "";
  target.password = "";
  target.hash = "";
  return target;
}
