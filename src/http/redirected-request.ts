import type { OutgoingHttpHeaders } from "node:http";
import { present } from "../base/present.ts";
import type { HttpResponse } from "./http.ts";
import type { TlsMaterial } from "./options.ts";
import type { Reach } from "./policy.ts";
import { RequestFailure } from "./request-failure.ts";

/** What holds at the start: for the registry, and not for where it leads to. */
interface Start {
  readonly reach: Reach;
  readonly authorization?: string | undefined;
  /** Configured for the registry. */
  readonly headers?: OutgoingHttpHeaders | undefined;
  readonly tls?: TlsMaterial | undefined;
  readonly connectMilliseconds?: number | undefined;
  /** Whether even the start is no registry of the user's. */
  readonly isElsewhere?: boolean;
}

/**
 * A request on its way through redirects.
 *
 * Once it has left the registry it carries nothing that is meant for the registry: no authorization, no configured
 * headers, no client certificate. That holds to its end, wherever it is led, also back.
 */
export class RedirectedRequest {
  url: URL;
  reach: Reach;
  authorization: string | undefined;
  /** Where the registry itself was found. */
  registryAddress: string | undefined;
  readonly #origin: string;
  readonly #headers: OutgoingHttpHeaders;
  readonly #start: Start;
  #isElsewhere: boolean;

  constructor(url: URL, headers: OutgoingHttpHeaders, start: Start) {
    this.url = url;
    this.reach = start.reach;
    this.authorization = start.authorization;
    this.#origin = url.origin;
    this.#headers = headers;
    this.#start = start;
    this.#isElsewhere = start.isElsewhere ?? false;
  }

  get isElsewhere(): boolean {
    return this.#isElsewhere;
  }

  get headers(): OutgoingHttpHeaders {
    const own = this.#isElsewhere ? {} : this.#start.headers;
    const { authorization } = this;
    return { ...own, ...this.#headers, ...present({ authorization }) };
  }

  get tls(): TlsMaterial | undefined {
    return this.#isElsewhere ? undefined : this.#start.tls;
  }

  get connectMilliseconds(): number | undefined {
    return this.#isElsewhere ? undefined : this.#start.connectMilliseconds;
  }

  arrivedAt(response: HttpResponse): void {
    if (!this.#isElsewhere) this.registryAddress = response.address;
  }

  /** Goes on to where a redirect leads; `reach` is for those whom a registry names. */
  turn(target: URL, reach: Reach): void {
    this.url = target;
    this.#isElsewhere ||= target.origin !== this.#origin;
    if (!this.#isElsewhere) return;
    this.reach = reach;
    this.authorization = undefined;
  }
}

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
    throw new RequestFailure("REGISTRY_ERROR", `${host} redirects to what is no URL`, { host });
  }
  const target = new URL(location, response.url);
  if (target.protocol !== "https:" && target.protocol !== "http:") {
    throw new RequestFailure("POLICY_DENIED", `${host} redirects to "${target.protocol.slice(0, 40)}"`, { host });
  }
  // A user and password in a location would be sent as credentials by others; here they are dropped.
  target.username = "";
  target.password = "";
  target.hash = "";
  return target;
}
