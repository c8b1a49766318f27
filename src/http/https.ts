import { once } from "node:events";
import { Agent, type AgentOptions, request } from "node:https";
import { connect as connectSocket, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { addressIn, bareHost, portOf } from "./address.ts";
import { networkFailure } from "./network-failure.ts";
import type { TlsMaterial } from "./options.ts";
import { RequestFailure } from "./request-failure.ts";
import { tlsOptions } from "./tls-context.ts";
import { openTunnel, proxyAuthorizationOf } from "./tunnel.ts";

/*
 * Connections with TLS, for `http.ts`, which loads this when it needs the first: Node's TLS takes 16 ms of processor time
 * to load (Node 24), and not every source of images has any.
 */

export { request };

/** How a connection is to be made. */
export interface Way {
  /** The proxy through which it leads. */
  readonly tunnel: URL | undefined;
  readonly tls: TlsMaterial | undefined;
  readonly connectMilliseconds: number;
}

export function agent(options: AgentOptions, { tunnel, tls, connectMilliseconds }: Way): Agent {
  const secure = { ...options, ...tlsOptions(tls) };
  return tunnel === undefined ? new Agent(secure) : new TunnelAgent(secure, tunnel, connectMilliseconds);
}

/** Makes TLS connections through a proxy that sees nothing of what they carry. */
class TunnelAgent extends Agent {
  readonly #proxy: URL;
  readonly #connectMilliseconds: number;

  constructor(options: AgentOptions, proxy: URL, connectMilliseconds: number) {
    super(options);
    this.#proxy = proxy;
    this.#connectMilliseconds = connectMilliseconds;
  }

  /** Node calls this for every new connection; without a return value it waits for the callback. */
  override createConnection(
    target: ConnectionOptions,
    callback?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    // The callback's type has no room for a failure without a socket, which Node's own agent passes too.
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
      throw networkFailure(error, `the proxy ${this.#proxy.host}`);
    }
  }
}

function authorityOf({ host = "", port = 443 }: ConnectionOptions): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Server Name Indication has names only (RFC 6066, section 3). */
function serverName(host: string): string {
  return addressIn(host) === undefined ? host : "";
}
