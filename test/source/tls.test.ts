import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { test } from "node:test";
import type { TlsMaterial } from "../../src/http/options.ts";
import { authority, selfSigned } from "../support/certificates.ts";
import { startRegistry } from "../support/registry-double.ts";
import { answer } from "../support/registry-reply.ts";
import { skipWithout } from "../support/tools.ts";
import { blob, failure, oneImage, puller } from "./pulling.ts";

const skip = skipWithout("openssl");

test("a registry with a certificate of one's own authority is trusted once the authority is", { skip }, async () => {
  const own = await authority();
  await using one = await oneImage({ tls: await own.issue() });
  await using client = puller({ tls: { ca: [own.cert] } });
  assert.deepEqual(await blob(client.image(one.name), one.layer), one.content);
});

test("a certificate that is not to be trusted is an error that says what helps", { skip }, async () => {
  const own = await authority();
  const cases: [
    name: string,
    pair: Promise<{ cert: string; key: string }>,
    ca: string[],
    found: RegExp,
    hint: RegExp,
  ][] = [
    ["unknown", own.issue(), [], /comes from an authority that this machine does not know/, /`tls\.ca`/],
    ["self-signed", selfSigned(), [], /is signed by itself/, /`tls\.ca`/],
    ["expired", own.issue({ expired: true }), [own.cert], /has expired/, /renew it/],
    ["wrong host", own.issue({ names: "DNS:elsewhere.test" }), [own.cert], /is for another host/, /the name that/],
  ];
  for (const [name, pair, ca, found, hint] of cases) {
    await using one = await oneImage({ tls: await pair });
    await using client = puller({ plainHttp: false, tls: { ca } });
    const error = await failure(client.image(one.name).manifest());
    assert.equal(error.code, "CERTIFICATE", name);
    assert.match(error.message, found, name);
    assert.match(error.hint ?? "", hint, name);
    assert.equal(one.registry.requests.length, 0, name);
    assert.equal(client.told("retrying").length, 0, name);
  }
});

test("further authorities are asked for once, when a certificate comes from none that is known", { skip }, async () => {
  const [own, other] = await Promise.all([authority(), authority()]);
  await using one = await oneImage({ tls: await own.issue() });
  let asked = 0;
  const furtherAuthorities = async () => {
    asked += 1;
    return [own.cert];
  };
  await using client = puller({ plainHttp: false, furtherAuthorities });
  assert.deepEqual(await blob(client.image(one.name), one.layer), one.content);
  await client.image(one.name).manifest();
  await using told = puller({ tls: { ca: [own.cert] }, furtherAuthorities });
  await told.image(one.name).manifest();
  assert.equal(asked, 1);

  await using others = puller({ plainHttp: false, furtherAuthorities: async () => [other.cert] });
  const error = await failure(others.image(one.name).manifest());
  assert.deepEqual([error.code, others.told("retrying").length], ["CERTIFICATE", 0]);
});

test("a certificate that is expired or another host's stays so, whatever authorities count", { skip }, async () => {
  const own = await authority();
  for (const wrong of [{ expired: true }, { names: "DNS:elsewhere.test" }]) {
    await using one = await oneImage({ tls: await own.issue(wrong) });
    await using client = puller({ plainHttp: false, furtherAuthorities: async () => [own.cert] });
    assert.equal((await failure(client.image(one.name).manifest())).code, "CERTIFICATE");
  }
});

test("R-7: after a certificate error nobody falls back to http", { skip }, async () => {
  await using one = await oneImage({ tls: await selfSigned() });
  await using client = puller({ tls: async () => ({}) });
  assert.equal((await failure(client.image(one.name).manifest())).code, "CERTIFICATE");
});

test("any certificate is accepted by whoever insists", { skip }, async () => {
  await using one = await oneImage({ tls: await selfSigned() });
  await using client = puller({ tls: { insecureSkipVerify: true } });
  await client.image(one.name).manifest();
});

test("a client certificate opens a registry that wants one, and its lack is named", { skip }, async () => {
  const own = await authority();
  await using one = await oneImage({ tls: { ...(await own.issue()), clientCa: own.cert } });
  const mine = await own.issue({ names: "DNS:me.test" });
  await using client = puller({ tls: { ca: [own.cert], ...mine } });
  assert.deepEqual(await blob(client.image(one.name), one.layer), one.content);
  await using without = puller({ tls: { ca: [own.cert] }, retries: 0 });
  const error = await failure(without.image(one.name).manifest());
  assert.equal(error.code, "CERTIFICATE");
  assert.match(error.message, /wants a client certificate$/);
  assert.match(error.hint ?? "", /`tls\.cert`/);
});

test("a server that asks for a client certificate only with a status, as nginx does, is understood", {
  skip,
}, async () => {
  const own = await authority();
  await using one = await oneImage({ tls: await own.issue() });
  await using client = puller({ tls: { ca: [own.cert] } });
  for (const [title, found] of [
    ["400 No required SSL certificate was sent", /wants a client certificate$/],
    ["400 The SSL certificate error", /wants another client certificate$/],
  ] as const) {
    one.registry.next(/manifests/, answer(400, { "content-type": "text/html" }, `<title>${title}</title>`));
    const error = await failure(client.image(one.name).manifest());
    assert.equal(error.code, "CERTIFICATE");
    assert.match(error.message, found);
    assert.match(error.hint ?? "", /`tls\.cert`/);
  }
});

test("a client certificate is for the registry, not for where it redirects", { skip }, async () => {
  const own = await authority();
  const server = await own.issue({ names: "IP:127.0.0.1,IP:127.0.0.2" });
  await using cdn = await startRegistry({ address: "127.0.0.2", tls: { ...server, clientCa: own.cert } });
  await using one = await oneImage({
    tls: { ...server, clientCa: own.cert },
    redirectBlobs: (digest) => `${cdn.url}/cdn/${digest}`,
  });
  cdn.addBlob(one.content);
  await using client = puller({ tls: { ca: [own.cert], ...(await own.issue({ names: "DNS:me.test" })) }, retries: 0 });
  assert.equal((await failure(blob(client.image(one.name), one.layer))).code, "CERTIFICATE");
});

test("certificates are looked up by host, once", { skip }, async () => {
  const own = await authority();
  await using one = await oneImage({ tls: await own.issue() });
  const asked: string[] = [];
  const tls = async (host: string): Promise<TlsMaterial> => {
    asked.push(host);
    return { ca: [own.cert] };
  };
  await using client = puller({ tls });
  await client.image(one.name).manifest();
  await blob(client.image(one.name), one.layer);
  assert.deepEqual(asked, [one.registry.host]);
});

test("certificates that are none are named, not the registry", { skip }, async () => {
  await using one = await oneImage({ tls: await selfSigned() });
  await using client = puller({ tls: { ca: ["-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n"] } });
  const error = await failure(client.image(one.name).manifest());
  assert.equal(error.code, "CERTIFICATE");
  assert.match(error.message, /the certificates or the key configured for it are unusable/);
  assert.doesNotMatch(error.hint ?? "", /trust|renew/);
});

test("speaking TLS to a registry without it, or http to one with it, is answered with what helps", {
  skip,
}, async () => {
  await using plain = await oneImage();
  await using secure = puller({ plainHttp: false });
  const error = await failure(secure.image(plain.name).manifest());
  assert.equal(error.code, "UNREACHABLE");
  assert.match(error.message, /does not speak TLS/);
  assert.match(error.hint ?? "", /`plainHttp`/);
});

test("connections with TLS are used again, too", { skip }, async () => {
  const own = await authority();
  await using one = await oneImage({ tls: await own.issue() });
  await using client = puller({ tls: { ca: [own.cert] } });
  for (let count = 0; count < 3; count++) await blob(client.image(one.name), one.layer);
  assert.deepEqual(new Set(one.registry.requests.map(({ connection }) => connection)), new Set([1]));
});

test("R-72: a server that does not speak TLS is asked for it once", async () => {
  await using one = await oneImage();
  const { hostname, port } = new URL(one.registry.url);
  let handshakes = 0;
  const counter = createServer((socket) => {
    const behind = connect(Number(port), hostname);
    socket.once("data", ([first]) => {
      if (first === tlsHandshake) handshakes++;
    });
    socket.pipe(behind).pipe(socket);
    for (const end of [socket, behind]) end.on("error", () => {});
  });
  counter.listen(0, "127.0.0.1");
  await once(counter, "listening");
  const host = `127.0.0.1:${(counter.address() as AddressInfo).port}`;
  const endpoints = async () =>
    ["https", "http"].map((scheme) => ({ ...everything, baseUrl: `${scheme}://${host}/v2` }));
  await using client = puller({ endpoints, retries: 0 });
  const image = client.image(one.name);
  await image.manifest();
  await blob(image, one.layer);
  await blob(client.image(one.name), one.layer);
  counter.close();
  assert.equal(handshakes, 1);
});

/** The first byte of a connection with TLS: a record that has a handshake (RFC 8446, section 5.1). */
const tlsHandshake = 22;

const everything = { resolvesTags: true, servesDigests: true };
