import { lookup } from "node:dns";
import type {
  Agent,
  AgentOptions,
  ClientRequest,
  ClientRequestArgs,
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
  RequestOptions,
} from "node:http";
import type { OnReadOpts, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { onAbort } from "../base/abort.ts";
import { check, urlObject } from "../base/option-checks.ts";
import { present } from "../base/present.ts";
import { isErrno } from "../base/system-error.ts";
import { addressIn, bareHost, portOf } from "./address.ts";
import { Body, type Exchange } from "./body.ts";
import { Connection } from "./connection.ts";
import { DeadlineWatch } from "./deadlines.ts";
import { FurtherAuthorities } from "./further-authorities.ts";
import type { SecureRoute } from "./https.ts";
import { HttpAgent, request } from "./node-http.ts";
import { type Deadlines, longestMilliseconds, type ProxyFor, type TlsMaterial } from "./options.ts";
import { admittedLookup, type Reach } from "./policy.ts";
import { networkFailure, proxyFailure, RequestFailure } from "./request-failure.ts";
import { proxyAuthorizationOf } from "./tunnel.ts";
import { Wires } from "./wires.ts";

/** One request over one connection. Redirects, authentication and retries are not its business. */
export interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string;
  readonly reach: Reach;
  readonly tls?: TlsMaterial | undefined;
  readonly connectMilliseconds?: number | undefined;
}

export interface HttpResponse {
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The address of the server; `undefined` if a proxy is between. */
  readonly address: string | undefined;
  readonly body: Body;
}

interface ConnectionsOptions {
  readonly deadlines: Deadlines;
  readonly connectionsPerHost: number;
  readonly proxy: ProxyFor | undefined;
  /** As in `RegistryOptions`. */
  readonly furtherAuthorities?: (() => Promise<readonly string[]>) | undefined;
  /** A Unix socket that all connections are made to, whatever host a URL names. */
  readonly socketPath?: string;
}

/** How a host is reached. Requests with the same route share connections. */
interface Route {
  /** What is connected to: the host itself, or a proxy that is asked for whole URLs. */
  readonly hop: URL;
  /** The proxy that opens a tunnel to the host. */
  readonly tunnel: URL | undefined;
  readonly tls: TlsMaterial | undefined;
  readonly reach: Reach;
}

/** Sends requests over one kind of connection, with TLS or without. */
interface HttpClient {
  request(options: RequestOptions): ClientRequest;
  /** An agent for the connections of one route, through a proxy if there is a tunnel. */
  agent(options: AgentOptions, secureRoute: SecureRoute): Agent;
}

/** Makes connections without TLS. */
class PlainAgent extends HttpAgent {
  readonly #wires = new Wires((connection) => this.keepSocketAlive(connection));

  override createConnection(options: ClientRequestArgs): Duplex {
    const connect = (onread: OnReadOpts) =>
      super.createConnection({ ...options, onread } as ClientRequestArgs) as Socket;
    return this.#wires.connection(this.getName(options), connect);
  }

  override destroy(): void {
    super.destroy();
    this.#wires.destroy();
  }
}

const plainClient: HttpClient = { request, agent: (options) => new PlainAgent(options) };

/** How long each address of a host is tried. With Node's default, 250 ms, a host that is far away cannot be reached. */
const happyEyeballsMilliseconds = 2_000;
/** Signed URLs in `Location` can be long. */
const maxHeaderSize = 64 * 1024;

/** All connections of a client, kept open between requests. Only this file and `https.ts` open connections. */
export class Connections implements Disposable {
  readonly #options: ConnectionsOptions;
  readonly #agents = new Map<string, Agent>();
  readonly #tlsNumbers = new Map<TlsMaterial | undefined, number>();
  readonly #waiting = new Set<(reason: RequestFailure) => void>();
  readonly #authorities: FurtherAuthorities;
  #isClosed = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#authorities = new FurtherAuthorities(options.furtherAuthorities);
  }

  /** Sends a request and waits for the headers of its response. The caller has to read or dismiss the body. */
  async send(request: HttpRequest, signal?: AbortSignal): Promise<HttpResponse> {
    signal?.throwIfAborted();
    const literal = addressIn(request.url.hostname);
    if (literal !== undefined) request.reach.admit(request.url.host, literal);
    const proxy = this.#options.proxy?.(request.url) ?? undefined;
    if (proxy !== undefined) check("proxy()", proxy, urlObject);
    let route = this.#routeOf(request, proxy);
    const client = route.hop.protocol === "https:" ? await import("./https.ts") : plainClient;
    for (;;) {
      signal?.throwIfAborted(); // meanwhile
      if (this.#isClosed) throw closed();
      const outgoing = this.#outgoing(request, route, client);
      try {
        return await this.#response(request, route, outgoing, signal);
      } catch (error) {
        signal?.throwIfAborted();
        if (await this.#authorities.mayHelp(error, route.tls)) {
          route = this.#routeOf(request, proxy);
          continue;
        }
        // The server may just have closed a connection that was kept open. That says nothing about the host.
        if (!isReused(outgoing) || !isClosedConnection(error)) throw hopFailure(error, request, route);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const giveUp of this.#waiting) giveUp(closed());
    for (const agent of this.#agents.values()) agent.destroy();
  }

  /** The route for a request, with all authorities that are known by now. */
  #routeOf(request: HttpRequest, proxy: URL | undefined): Route {
    const tls = this.#authorities.addedTo(request.tls);
    return routeOf({ ...request, tls }, proxy, this.#authorities.addedTo(undefined));
  }

  #outgoing(request: HttpRequest, route: Route, client: HttpClient): ClientRequest {
    const { method, url, headers, body, reach } = request;
    const { hop } = route;
    const isForwarded = hop !== url;
    const options: RequestOptions = present({
      method,
      headers: isForwarded ? withProxyHeaders(headers, url, hop) : headers,
      host: bareHost(hop),
      port: portOf(hop),
      path: isForwarded ? url.href : url.pathname + url.search,
      agent: this.#agent(route, client),
      maxHeaderSize,
      socketPath: this.#options.socketPath,
      // The user chose the proxy, and the proxy looks up the names of what lies behind it.
      lookup: isProxied(request, route) ? undefined : admittedLookup(reach, url.host, lookup),
    });
    const outgoing = client.request(options);
    outgoing.on("error", () => {}); // an error after the response is reported by its body
    outgoing.end(body);
    return outgoing;
  }

  #response(
    request: HttpRequest,
    route: Route,
    outgoing: ClientRequest,
    signal: AbortSignal | undefined,
  ): Promise<HttpResponse> {
    const { deadlines } = this.#options;
    const connectMilliseconds = Math.min(
      request.connectMilliseconds ?? deadlines.connectMilliseconds,
      longestMilliseconds,
    );
    const watch = new DeadlineWatch(outgoing, request.url.host, { ...deadlines, connectMilliseconds });
    return new Promise<HttpResponse>((resolve, reject) => {
      // Node reports nothing when a request is destroyed that still waits for a connection.
      const giveUp = (reason: unknown) => {
        outgoing.destroy(reason instanceof Error ? reason : undefined);
        reject(reason);
      };
      const listenNoMore = onAbort(signal, () => giveUp(signal?.reason));
      const settle = () => {
        watch.stop();
        this.#waiting.delete(giveUp);
        listenNoMore();
      };
      this.#waiting.add(giveUp);
      outgoing.once("error", reject);
      outgoing.once("close", () => {
        settle();
        reject(brokenOff(request));
      });
      outgoing.once("response", (incoming) => {
        settle();
        resolve(this.#received(request, route, { outgoing, incoming }, signal));
      });
    });
  }

  #received(request: HttpRequest, route: Route, { outgoing, incoming }: Exchange, signal?: AbortSignal): HttpResponse {
    const abort = () => incoming.destroy(signal?.reason instanceof Error ? signal.reason : undefined);
    incoming.once("close", onAbort(signal, abort));
    return {
      url: request.url,
      status: incoming.statusCode ?? 0,
      headers: incoming.headers,
      address: isProxied(request, route) ? undefined : incoming.socket.remoteAddress,
      body: new Body({ outgoing, incoming }, request.url.host, this.#options.deadlines, signal),
    };
  }

  #agent(route: Route, client: HttpClient): Agent {
    const { hop, tunnel, tls, reach } = route;
    const key = `${hop.protocol} ${tunnel?.href} ${this.#tlsNumber(tls)} ${reach.key}`;
    const { connectionsPerHost, deadlines } = this.#options;
    const known = this.#agents.get(key);
    if (known !== undefined) return known;
    const options = {
      keepAlive: true,
      maxSockets: connectionsPerHost,
      scheduling: "lifo",
      autoSelectFamilyAttemptTimeout: happyEyeballsMilliseconds,
    } as const;
    const agent = client.agent(options, { tunnel, tls, connectMilliseconds: deadlines.connectMilliseconds });
    this.#agents.set(key, agent);
    return agent;
  }

  #tlsNumber(tls: TlsMaterial | undefined): number {
    const number = this.#tlsNumbers.get(tls) ?? this.#tlsNumbers.size;
    this.#tlsNumbers.set(tls, number);
    return number;
  }
}

function routeOf({ url, tls, reach }: HttpRequest, proxy: URL | undefined, proxyTls: TlsMaterial | undefined): Route {
  if (proxy === undefined) return { hop: url, tunnel: undefined, tls, reach };
  if (url.protocol === "http:") return { hop: proxy, tunnel: undefined, tls: proxyTls, reach };
  return { hop: url, tunnel: proxy, tls, reach };
}

function isProxied({ url }: HttpRequest, { hop, tunnel }: Route): boolean {
  return hop !== url || tunnel !== undefined;
}

function withProxyHeaders(headers: OutgoingHttpHeaders, url: URL, proxy: URL): OutgoingHttpHeaders {
  return present({ ...headers, host: url.host, "proxy-authorization": proxyAuthorizationOf(proxy) });
}

/** Whether a request went over a connection that had been used before. */
function isReused({ reusedSocket, socket }: ClientRequest): boolean {
  return reusedSocket || ((socket as unknown) instanceof Connection && (socket as unknown as Connection).isReused);
}

function isClosedConnection(error: unknown): boolean {
  return isErrno(error, "ECONNRESET", "EPIPE");
}

function brokenOff({ url }: HttpRequest): RequestFailure {
  return new RequestFailure("UNREACHABLE", `${url.host} broke the connection off`, { temporary: true, host: url.host });
}

function closed(): RequestFailure {
  return new RequestFailure("UNREACHABLE", "the registry client is closed");
}

function hopFailure(error: unknown, { url }: HttpRequest, { hop }: Route): unknown {
  return hop === url ? networkFailure(error, url.host) : proxyFailure(error, hop);
}
