import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { Connections } from "../../src/http/http.ts";
import { defaultDeadlines } from "../../src/http/options.ts";
import { Policy } from "../../src/http/policy.ts";

test("an abort while TLS is being loaded ends a request before it is sent", async () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  using client = new Connections({ deadlines: defaultDeadlines, connectionsPerHost: 1, proxy: undefined });
  const controller = new AbortController();
  const reason = new Error("nobody wants it any more");
  const sent = client.send({ method: "GET", url, headers: {}, reach: new Policy().named() }, controller.signal);
  controller.abort(reason);
  await assert.rejects(sent, reason);
  assert.equal(connections, 0);
  await new Promise((resolve) => server.close(resolve));
});
