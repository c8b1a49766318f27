import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A relay that makes a server on this machine far away. */
export interface Distant extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly host: string;
}

/**
 * Passes bytes on to `host`, each half a round trip later, both ways; a connection takes a whole one to be made.
 *
 * Nothing limits the rate, and TCP need not find it out: what is left is how often one side waits for the other.
 */
export async function distant(host: string, roundTripMilliseconds: number): Promise<Distant> {
  const [address, port] = host.split(":");
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), address);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {}).once("close", () => sockets.delete(socket));
    }
    // Here the connection is made at once; elsewhere nothing could be sent on it before this moment.
    const made = performance.now() + roundTripMilliseconds;
    const passOn = (from: Socket, to: Socket) => {
      // Of timers that were set one after the other, the later one may be the first to fire on a busy machine.
      const onTheWay: Buffer[] = [];
      return from.on("data", (chunk: Buffer) => {
        const sent = Math.max(made, performance.now());
        onTheWay.push(chunk);
        setTimeout(() => to.write(onTheWay.shift() ?? ""), sent - performance.now() + roundTripMilliseconds / 2);
      });
    };
    passOn(near, far).once("close", () => far.destroy());
    passOn(far, near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
