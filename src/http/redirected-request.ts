import type { OutgoingHttpHeaders } from "node:http";
import { present } from "../base/present.ts";
import type { HttpResponse } from "./http.ts";
import type { TlsMaterial } from "./options.ts";
import type { Reach } from "./policy.ts";
import { RequestFailure } from "./request-failure.ts";

/** What a request to the registry is sent with. Nothing of it holds for the hosts that the registry redirects to. */
interface Start {
  readonly reach: Reach;
  readonly authorization?: string | undefined;
  /** Headers that are configured for the registry. */
  readonly headers?: OutgoingHttpHeaders | undefined;
  readonly tls?: TlsMaterial | undefined;
  readonly connectMilliseconds?: number | undefined;
  /** Whether already the first URL is not of a registry that the user named. */
  readonly isElsewhere?: boolean;
}

/**
 * A request that follows redirects.
 *
 * Once it has been sent to another host it has nothing that is meant for the registry: no authorization, no configured
 * headers, no client certificate. That stays so even if a later redirect leads back to the registry.
 */
export class RedirectedRequest {
  url: URL;
  reach: Reach;
  authorization: string | undefined;
  /** The address of the registry itself. */
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

  /** Follows a redirect to `target`; `reach` is for hosts that a registry names. */
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

/** Where a redirect leads. Throws if that is not an http URL, or if two programs could read it differently. */
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
  // Other clients would send a user and a password in the location as credentials; here they are dropped.
  target.username = "";
  target.password = "";
  target.hash = "";
  return target;
}
