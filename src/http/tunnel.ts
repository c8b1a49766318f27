import type { Socket } from "node:net";
import { RequestFailure, type RequestFailureDetails } from "./request-failure.ts";

const longestHead = 16 * 1024;

/**
 * Asks a proxy for a tunnel to `authority` (`host:port`), and waits for its answer (RFC 9110, section 9.3.6).
 *
 * `socket` is connected to the proxy. Afterwards it is connected to the other host.
 */
export async function openTunnel(
  socket: Socket,
  authority: string,
  proxyAuthorization: string | undefined,
): Promise<void> {
  const credentials = proxyAuthorization === undefined ? "" : `Proxy-Authorization: ${proxyAuthorization}\r\n`;
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${credentials}\r\n`);
  const head = await responseHead(socket);
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? 0);
  if (status >= 200 && status < 300) return;
  throw refusal(status, authority, proxyAuthorization !== undefined);
}

/** `Proxy-Authorization` for the user and password in a proxy's URL. */
export function proxyAuthorizationOf(proxy: URL): string | undefined {
  if (proxy.username === "" && proxy.password === "") return undefined;
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}

/** Reads up to the empty line after the headers. Nothing follows before the client begins TLS. */
function responseHead(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let head = "";
    const stop = () => {
      socket.pause();
      socket.off("data", read).off("error", fail).off("close", close);
    };
    const fail = (error: unknown) => {
      stop();
      reject(error);
    };
    const close = () =>
      fail(new RequestFailure("UNREACHABLE", "the proxy broke the connection off", { temporary: true }));
    const read = (chunk: Buffer) => {
      head += chunk.toString("latin1");
      if (head.length > longestHead)
        fail(new RequestFailure("REGISTRY_ERROR", "the headers of the proxy's answer are too long"));
      if (!head.includes("\r\n\r\n")) return;
      stop();
      resolve(head);
    };
    socket.on("data", read).on("error", fail).on("close", close);
  });
}

/** The failure when a proxy wants a user and a password, for a tunnel or for an http URL. */
export function proxyWantsLogin(authority: string, details: RequestFailureDetails): RequestFailure {
  return new RequestFailure("UNREACHABLE", `the proxy on the way to ${authority} wants a user and a password`, {
    ...details,
    hint: "put them into the proxy's URL: http://USER:PASSWORD@HOST:PORT",
  });
}

/** What a proxy's status means, and what to do. */
const refusals: ReadonlyMap<number, readonly [found: string, hint: string]> = new Map([
  [401, ["rejects the user and the password in its URL", "correct them: http://USER:PASSWORD@HOST:PORT"]],
  [
    403,
    ["does not let it through", "ask the proxy's operator to allow this host and port, or name the host in NO_PROXY"],
  ],
]);

function refusal(status: number, authority: string, hasCredentials: boolean): RequestFailure {
  if (status === 407 && !hasCredentials) return proxyWantsLogin(authority, { status });
  const [meant, remedy] = refusals.get(status === 407 ? 401 : status) ?? [];
  const answers = status === 0 ? "does not speak HTTP" : `answers ${status}`;
  const found = meant === undefined ? answers : `${meant} (status ${status})`;
  const temporary = status === 502 || status === 503 || status === 504;
  return new RequestFailure("UNREACHABLE", `the proxy on the way to ${authority} ${found}`, {
    status,
    temporary,
    hint: remedy ?? "check the host's name and port, and the proxy; a host in NO_PROXY is reached without it",
  });
}
