import { once } from "node:events";
import { Agent, type AgentOptions, type RequestOptions, request } from "node:https";
import { connect as connectSocket, type OnReadOpts, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { addressIn, bareHost, portOf } from "./address.ts";
import type { TlsMaterial } from "./options.ts";
import { proxyFailure, RequestFailure } from "./request-failure.ts";
import { tlsOptions } from "./tls-context.ts";
import { openTunnel, proxyAuthorizationOf } from "./tunnel.ts";
import { Wires } from "./wires.ts";

/*
 * Connections with TLS. `http.ts` loads this file when it needs the first one: loading Node's TLS takes 16 ms of
 * processor time (Node 24), and not every source of images needs it.
 */

export { request };

/** How a TLS connection is to be made. */
export interface SecureRoute {
  /** The proxy that opens a tunnel to the host. */
  readonly tunnel: URL | undefined;
  readonly tls: TlsMaterial | undefined;
  readonly connectMilliseconds: number;
}

export function agent(options: AgentOptions, { tunnel, tls, connectMilliseconds }: SecureRoute): Agent {
  const secure = { ...options, ...tlsOptions(tls) };
  return tunnel === undefined ? new SecureAgent(secure) : new TunnelAgent(secure, tunnel, connectMilliseconds);
}

/** Makes TLS connections to the host itself. */
class SecureAgent extends Agent {
  readonly #wires = new Wires((connection) => this.keepSocketAlive(connection));

  override createConnection(options: RequestOptions): Duplex {
    const connect = (onread: OnReadOpts) => super.createConnection({ ...options, onread } as RequestOptions) as Socket;
    return this.#wires.connection(this.getName(options), connect);
  }

  override destroy(): void {
    super.destroy();
    this.#wires.destroy();
  }
}

/** Makes TLS connections through a proxy, which cannot see what they transport. */
class TunnelAgent extends Agent {
  readonly #proxy: URL;
  readonly #connectMilliseconds: number;

  constructor(options: AgentOptions, proxy: URL, connectMilliseconds: number) {
    super(options);
    this.#proxy = proxy;
    this.#connectMilliseconds = connectMilliseconds;
  }

  /** Node calls this for every new connection. Since it returns nothing, Node waits for the callback. */
  override createConnection(
    target: ConnectionOptions,
    callback?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    // By its type the callback always gets a socket; Node's own agent, too, calls it with an error alone.
    const settle = callback as (error: unknown, socket?: Duplex) => void;
    this.#connected(target).then(
      (socket) => settle(null, socket),
      (error: unknown) => settle(error),
    );
  }

  async #connected(target: ConnectionOptions): Promise<Socket> {
    const proxy = { host: bareHost(this.#proxy), port: portOf(this.#proxy) };
    const socket =
      this.#proxy.protocol === "https:"
        ? connectTls({ ...proxy, servername: serverName(proxy.host) })
        : connectSocket(proxy);
    const found = `the proxy ${this.#proxy.host} did not connect within ${this.#connectMilliseconds / 1000} s`;
    const timedOut = new RequestFailure("TIMEOUT", found, { temporary: true });
    const timer = setTimeout(() => socket.destroy(timedOut), this.#connectMilliseconds);
    try {
      await this.#opened(socket, authorityOf(target));
      const secure = connectTls({ ...target, socket });
      await once(secure, "secureConnect");
      return secure;
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #opened(socket: Socket, authority: string): Promise<void> {
    try {
      await openTunnel(socket, authority, proxyAuthorizationOf(this.#proxy));
    } catch (error) {
      throw proxyFailure(error, this.#proxy);
    }
  }
}

function authorityOf({ host = "", port = 443 }: ConnectionOptions): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** The name for Server Name Indication, which must not be an address (RFC 6066, section 3). */
function serverName(host: string): string {
  return addressIn(host) === undefined ? host : "";
}
