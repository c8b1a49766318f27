import type { OutgoingHttpHeaders } from "node:http";
import type { CallContext } from "../base/call-context.ts";
import { within } from "../http/deadlines.ts";
import { Connections, type HttpRequest, type HttpResponse } from "../http/http.ts";
import { type Deadlines, settledDeadlines } from "../http/options.ts";
import { Policy } from "../http/policy.ts";
import { isRedirect, mostRedirects, RedirectedRequest, redirectTarget } from "../http/redirected-request.ts";
import { RequestFailure } from "../http/request-failure.ts";
import { Retries, Throttle, withRetries } from "../http/retry.ts";
import { Secrets } from "../http/secrets.ts";
import { isTemporaryStatus, statusFailure } from "../http/status-failure.ts";
import { type AuthClient, anonymousToken, type TokenRoute } from "./auth/auth-client.ts";
import { Session } from "./auth/session.ts";
import type { TokenRequest } from "./auth/token.ts";
import type { Credential, RegistryOptions } from "./options.ts";
import { type Repository, repositoryKey } from "./repository.ts";
import { TlsPolicy } from "./tls-policy.ts";

/** A response with status 200, 206 or 416, maybe from a host that the registry redirected to. */
export interface RegistryResponse extends HttpResponse {
  /** Whether it is from another host than the registry. */
  readonly isElsewhere: boolean;
}

const defaultRetries = 5;
const defaultConnections = 16;
const defaultUserAgent = "oci-unpack";
const mostRefusals = 4;
const tokenBytes = 1024 * 1024;

/**
 * Sends requests to registries: with authorization, following redirects, within the network policy. It holds everything
 * that images share.
 */
export class Client implements Disposable {
  readonly secrets = new Secrets();
  readonly policy: Policy;
  readonly tlsPolicy: TlsPolicy;
  readonly deadlines: Deadlines;
  readonly connectionsPerBlob: number;
  readonly #options: RegistryOptions;
  readonly #connections: Connections;
  readonly #throttle: Throttle;
  readonly #sessions = new Map<string, Session>();
  readonly #withoutRanges = new Set<string>();
  readonly #withoutParallel = new Set<string>();
  readonly #corrupt = new Set<string>();
  readonly #withoutTls = new Map<string, RequestFailure>();

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.policy = new Policy(options.network);
    this.tlsPolicy = new TlsPolicy(options);
    this.deadlines = settledDeadlines(options.deadlines);
    this.connectionsPerBlob = options.connectionsPerBlob ?? 1;
    this.#throttle = new Throttle(this.deadlines.retryAfterMilliseconds);
    this.#connections = new Connections({
      deadlines: this.deadlines,
      connectionsPerHost: options.connections ?? defaultConnections,
      proxy: options.proxy,
      furtherAuthorities: options.furtherAuthorities,
    });
  }

  /**
   * Sends a request once. Throws a `RequestFailure` for every status that a `RegistryResponse` cannot have. The
   * caller has to read or dismiss the body.
   */
  async get(
    repository: Repository,
    url: URL,
    headers: OutgoingHttpHeaders,
    context: CallContext,
  ): Promise<RegistryResponse> {
    const session = this.#session(repository);
    let sent = { authorization: await session.current(context), isFresh: false };
    for (let refusals = 0; ; refusals++) {
      const start = {
        ...repository,
        connectMilliseconds: repository.endpoint.connectMilliseconds,
        authorization: sent.authorization,
      };
      const answer = await this.#followed(new RedirectedRequest(url, headers, start), context);
      if (answer.status !== 401 || answer.isElsewhere || refusals === mostRefusals) return this.#accepted(answer);
      await answer.body.dismissed();
      sent = { authorization: await session.afterRefusal(answer, sent, context), isFresh: true };
    }
  }

  /** Sends a request to a host that only the image names, without any credentials. */
  async getAsStranger(url: URL, headers: OutgoingHttpHeaders, context: CallContext): Promise<RegistryResponse> {
    const start = { reach: this.policy.referred(undefined), isElsewhere: true };
    const redirected = new RedirectedRequest(url, headers, start);
    return this.#accepted(await this.#followed(redirected, context));
  }

  /** The error if a host asked for a pause. A caller that can ask another host does not wait. */
  heldBack({ host }: URL): RequestFailure | undefined {
    const milliseconds = this.#throttle.remainingMilliseconds(host);
    return milliseconds === 0
      ? undefined
      : new RequestFailure("RATE_LIMITED", `${host} asks clients to wait`, { host });
  }

  /** The failure of a server that did not speak TLS when it was asked before: it is not asked again. */
  withoutTls({ origin }: URL): RequestFailure | undefined {
    return this.#withoutTls.get(origin);
  }

  /** Notes why a server failed, if that was for TLS and not where it redirects to. */
  failedAt({ origin, host }: URL, failure: RequestFailure): void {
    if (failure.details.isWithoutTls && failure.details.host === host) this.#withoutTls.set(origin, failure);
  }

  /** Whether ranges can be requested from a host, as far as is known. */
  servesRanges({ host }: URL): boolean {
    return !this.#withoutRanges.has(host);
  }

  /** Whether a blob's URL has turned out to have another blob. */
  isCorruptAt({ href }: URL): boolean {
    return this.#corrupt.has(href);
  }

  foundCorruptAt({ href }: URL): void {
    this.#corrupt.add(href);
  }

  /** Whether ranges can be requested from a host over several connections, as far as is known. */
  servesParallel(url: URL): boolean {
    return this.servesRanges(url) && !this.#withoutParallel.has(url.host);
  }

  /** Says that a host sent a wrong part of a blob, or none: it is read over one connection from now on. */
  distrustParallel({ host }: URL): void {
    this.#withoutParallel.add(host);
  }

  /** Says that a host's partial responses are wrong: whole blobs are requested from now on. */
  distrustRanges({ host }: URL): void {
    this.#withoutRanges.add(host);
  }

  /** The retries of requests to `url`. */
  retriesOf(url: URL, context: CallContext, most = this.#options.retries ?? defaultRetries): Retries {
    const options = { retries: most, deadlines: this.deadlines, throttle: this.#throttle };
    return new Retries(this.secrets.printable(url), context, options);
  }

  [Symbol.dispose](): void {
    this.#connections[Symbol.dispose]();
  }

  async #followed(redirected: RedirectedRequest, context: CallContext): Promise<RegistryResponse> {
    const { host } = redirected.url;
    for (let redirects = 0; redirects <= mostRedirects; redirects++) {
      const answer = await this.#arrived(redirected, context);
      if (!isRedirect(answer)) return answer;
      answer.body.dismiss();
      const target = redirectTarget(answer);
      this.tlsPolicy.admitScheme(target, answer.url);
      context.decided("redirect", `${answer.url.host} redirects to ${this.secrets.printable(target)}`);
      redirected.turn(target, this.policy.referred(redirected.registryAddress));
    }
    throw new RequestFailure("REGISTRY_ERROR", `${host} redirects more than ${mostRedirects} times`, {
      host,
    });
  }

  /** A host that the registry redirects to may want a token of its own. It gets one that needs no credentials. */
  async #arrived(redirected: RedirectedRequest, context: CallContext): Promise<RegistryResponse> {
    const answer = await this.#stop(redirected, context);
    if (answer.status !== 401 || !answer.isElsewhere) return answer;
    const authorization = await anonymousToken(answer, redirected.registryAddress, this.authClient, context);
    if (authorization === undefined) return answer;
    answer.body.dismiss();
    redirected.authorization = authorization;
    return this.#stop(redirected, context);
  }

  async #stop(redirected: RedirectedRequest, context: CallContext): Promise<RegistryResponse> {
    const { url, reach, isElsewhere, headers, connectMilliseconds } = redirected;
    const tls = isElsewhere ? await this.tlsPolicy.tls(url.host, "stranger", context) : redirected.tls;
    const response = await this.#exchange({ method: "GET", url, headers, reach, tls, connectMilliseconds }, context);
    redirected.arrivedAt(response);
    return { ...response, isElsewhere };
  }

  /** Sends one request, as soon as the host may be asked. */
  async #exchange(request: HttpRequest, context: CallContext): Promise<HttpResponse> {
    const { method, url, headers } = request;
    const held = this.heldBack(url);
    if (held !== undefined) {
      const seconds = Math.ceil(this.#throttle.remainingMilliseconds(url.host) / 1000);
      context.decided("retry", `waiting ${seconds} s, because ${held.message}`);
    }
    await this.#throttle.turn(url.host, context.signal);
    const proxy = this.#options.proxy?.(url);
    if (proxy !== undefined) context.decided("proxy", `${url.host} is reached through ${proxy.host}`);
    const userAgent = this.#options.userAgent ?? defaultUserAgent;
    const complete = { ...request, headers: { "user-agent": userAgent, ...headers } };
    const response = await this.#connections.send(complete, context.signal);
    context.tell({ type: "request", method, url: this.secrets.printable(url), status: response.status });
    const quota = response.headers["ratelimit-remaining"];
    if (typeof quota === "string")
      context.decided("retry", `${url.host} has a quota, of which ${quota.slice(0, 40)} is left`);
    return response;
  }

  async #accepted(answer: RegistryResponse): Promise<RegistryResponse> {
    const { status, isElsewhere, url } = answer;
    if (status === 200 || status === 206 || status === 416) return answer;
    const failure = await this.#failure(answer);
    if (!isElsewhere || failure.details.temporary === true) throw failure;
    // Signed links expire: the registry can give a fresh one.
    const found = `${url.host} answers ${status} to a link that the registry gave`;
    throw new RequestFailure("REGISTRY_ERROR", found, { status, host: url.host, temporary: true, isBadLink: true });
  }

  /** The failure that a response reports. Later requests to the host wait for its `Retry-After`. */
  async #failure(response: HttpResponse): Promise<RequestFailure> {
    const failure = await statusFailure(response, this.secrets);
    const { retryAfterMilliseconds } = failure.details;
    if (retryAfterMilliseconds !== undefined) this.#throttle.hold(response.url.host, retryAfterMilliseconds);
    return failure;
  }

  #session(repository: Repository): Session {
    const key = repositoryKey(repository);
    const session = this.#sessions.get(key) ?? new Session(repository, this.authClient);
    this.#sessions.set(key, session);
    return session;
  }

  /** What the code in auth/ uses of this client. */
  get authClient(): AuthClient {
    return {
      policy: this.policy,
      secrets: this.secrets,
      credential: (repository, context) => this.#credential(repository, context),
      admitScheme: (realm, registry) => this.tlsPolicy.admitScheme(realm, registry),
      ping: (repository, context, authorization) => this.#ping(repository, context, authorization),
      tokenRequest: (route, context) => this.#tokenRequest(route, context),
    };
  }

  /** A credential that the caller gave without a host is for the registry, not for its mirrors. */
  async #credential(repository: Repository, context: CallContext): Promise<Credential | undefined> {
    const { credentials } = this.#options;
    if (typeof credentials === "function")
      return credentials(repository.credentialHost, repository.path, context.fetchOptions);
    return repository.isOrigin ? credentials : undefined;
  }

  #ping(repository: Repository, context: CallContext, authorization: string | undefined): Promise<HttpResponse> {
    const url = new URL("/v2/", repository.base);
    const headers = authorization === undefined ? {} : { authorization };
    return this.#exchange({ method: "GET", url, headers, reach: repository.reach, tls: repository.tls }, context);
  }

  /** Responses are read here as a whole, within the deadline, so that nothing waits for the rest of a token. */
  #tokenRequest({ realm, reach, tls }: TokenRoute, context: CallContext): TokenRequest {
    return (request) =>
      withRetries(this.retriesOf(realm, context), () =>
        within(this.deadlines.documentMilliseconds, context, async (limited) => {
          const certificates = tls ?? (await this.tlsPolicy.tls(realm.host, "stranger", limited));
          const response = await this.#exchange({ ...request, reach, tls: certificates }, limited);
          if (isTemporaryStatus(response.status)) throw await this.#failure(response);
          return { status: response.status, body: await response.body.whole(tokenBytes) };
        }),
      );
  }
}
