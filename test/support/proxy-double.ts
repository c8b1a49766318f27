import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";

export interface ProxyDoubleOptions {
  /** `user:password` that it wants to see. Default: it lets anybody through. */
  readonly login?: string;
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Tunnels lead here, whatever host they are asked for: names that nobody can look up become servers of the test. */
  readonly destination?: string;
  /** Answers CONNECT with this status instead. */
  readonly refusal?: number;
}

/** An HTTP proxy that forwards and tunnels, and remembers what it was asked. */
export interface ProxyDouble extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly url: URL;
  /** `GET http://…` or `CONNECT host:port`, in order. */
  readonly asked: readonly string[];
}

export async function startProxy(options: ProxyDoubleOptions = {}): Promise<ProxyDouble> {
  const { tls, login, destination, refusal } = options;
  const asked: string[] = [];
  const sockets = new Set<Socket | Duplex>();
  const server = tls === undefined ? createServer() : createSecureServer(tls);
  const expected = login === undefined ? undefined : `Basic ${Buffer.from(login).toString("base64")}`;
  const admits = ({ headers }: IncomingMessage) =>
    expected === undefined || headers["proxy-authorization"] === expected;

  server.on("connection", (socket: Socket) => remembered(sockets, socket));
  server.on("request", (incoming, response) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    if (!admits(incoming)) response.writeHead(407).end();
    else forward(incoming, response);
  });
  server.on("connect", (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    asked.push(`CONNECT ${incoming.url}`);
    const status = admits(incoming) ? (refusal ?? 200) : 407;
    socket.write(`HTTP/1.1 ${status} Because\r\n\r\n`);
    if (status !== 200) {
      socket.end();
      return;
    }
    const [host, port] = (destination ?? incoming.url ?? "").split(":");
    const upstream = connect(Number(port), host);
    remembered(sockets, upstream);
    upstream.write(head);
    socket.on("error", () => upstream.destroy());
    upstream.on("error", () => socket.destroy());
    socket.pipe(upstream).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  return {
    url: new URL(`${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`),
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function remembered(sockets: Set<Socket | Duplex>, socket: Socket): void {
  sockets.add(socket);
  socket.on("error", () => {});
  socket.once("close", () => sockets.delete(socket));
}

function forward(incoming: IncomingMessage, response: ServerResponse): void {
  const { method = "GET", url = "", headers } = incoming;
  const outgoing = request(url, { method, headers: { ...headers, "proxy-authorization": "" } }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  outgoing.on("error", () => response.destroy());
  incoming.pipe(outgoing);
}
