import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { authority } from "../support/certificates.ts";
import { output } from "../support/command.ts";
import { startProxy } from "../support/proxy-double.ts";
import { answer } from "../support/registry-reply.ts";
import { scratch } from "../support/scratch.ts";
import { skipWithout } from "../support/tools.ts";
import { untilListening } from "../support/until-listening.ts";
import { blob, failure, oneImage, puller } from "./pulling.ts";

const skip = skipWithout("openssl");
const login = "alice:p@ss word";

function withLogin(proxy: URL): URL {
  return new URL(proxy.href.replace("//", `//${login.split(":").map(encodeURIComponent).join(":")}@`));
}

test("R-74: https goes through a proxy in a tunnel, with the user and password of its URL", { skip }, async () => {
  const own = await authority();
  await using one = await oneImage({ tls: await own.issue({ names: "DNS:registry.test" }) });
  await using proxy = await startProxy({ login, destination: one.registry.host });
  await using client = puller({ tls: { ca: [own.cert] }, proxy: () => withLogin(proxy.url) });
  const image = client.image("registry.test/a/b");
  await image.manifest();
  assert.deepEqual(await blob(image, one.layer), one.content);
  assert.deepEqual(proxy.asked, ["CONNECT registry.test:443"], "one tunnel, used again");
  assert.equal(one.registry.requests[0]?.headers["proxy-authorization"], undefined);
});

test("R-74: a proxy may itself speak TLS, for http and for https", { skip }, async () => {
  const own = await authority();
  await using plain = await oneImage();
  await using secure = await oneImage({ tls: await own.issue() });
  await using proxy = await startProxy({ tls: await own.issue() });
  for (const one of [plain, secure]) {
    await using client = puller({
      tls: async () => ({ ca: [own.cert] }),
      plainHttp: [plain.registry.host],
      proxy: () => proxy.url,
    });
    const error = await failure(client.image(one.name).manifest());
    assert.equal(error.code, "CERTIFICATE");
    assert.match(error.message, /the certificate of the proxy 127\.0\.0\.1:\d+/);
    assert.match(error.hint ?? "", /NODE_EXTRA_CA_CERTS/);
  }
  // Its certificate is checked by what Node trusts, which a process cannot change for itself.
  await using temporary = await scratch();
  const ca = join(temporary.directory, "ca.pem");
  await writeFile(ca, own.cert);
  const pulled = await output(
    process.execPath,
    ["--input-type=module", "--eval", pullThrough, proxy.url.href, plain.name, secure.name],
    {
      environment: { NODE_EXTRA_CA_CERTS: ca, REGISTRY: import.meta.resolve("../../src/registry/registry.js") },
    },
  );
  assert.equal(pulled, "application/vnd.oci.image.manifest.v1+json\n".repeat(2));
  assert.deepEqual(proxy.asked, [
    `GET ${plain.registry.url}/v2/a/b/manifests/latest`,
    `CONNECT ${secure.registry.host}`,
  ]);
});

test("R-74: a proxy's certificate from an unknown authority ends a request, whatever authorities are found", {
  skip,
}, async () => {
  const [own, other] = await Promise.all([authority(), authority()]);
  await using one = await oneImage();
  await using proxy = await startProxy({ tls: await own.issue() });
  const options = { plainHttp: true, proxy: () => proxy.url };
  const signal = AbortSignal.timeout(60_000);
  await using without = puller({ ...options, furtherAuthorities: async () => [other.cert] });
  assert.equal((await failure(without.image(one.name).manifest(undefined, { signal }))).code, "CERTIFICATE");
  await using client = puller({ ...options, furtherAuthorities: async () => [own.cert] });
  await client.image(one.name).manifest(undefined, { signal });
});

const pullThrough = `
  const [proxy, plain, secure] = process.argv.slice(1);
  const { registrySource } = await import(process.env.REGISTRY);
  for (const [name, plainHttp] of [[plain, true], [secure, false]]) {
    const source = registrySource({ plainHttp, proxy: () => new URL(proxy) });
    console.log((await source.image(name).manifest()).mediaType);
    await source[Symbol.asyncDispose]();
  }
`;

test("R-74: a certificate at the end of a tunnel is the registry's, not the proxy's", { skip }, async () => {
  const own = await authority();
  await using one = await oneImage({ tls: await own.issue() });
  await using proxy = await startProxy();
  await using client = puller({ plainHttp: false, proxy: () => proxy.url });
  const error = await failure(client.image(one.name).manifest());
  assert.equal(error.code, "CERTIFICATE");
  assert.match(error.message, /the certificate of 127\.0\.0\.1:\d+ comes from an authority/);
});

test("R-74: http goes through a proxy as a request for a whole URL", async () => {
  await using one = await oneImage();
  await using proxy = await startProxy({ login });
  await using client = puller({ proxy: () => withLogin(proxy.url) });
  assert.deepEqual(await blob(client.image(one.name), one.layer), one.content);
  assert.deepEqual(proxy.asked, [`GET ${one.registry.url}/v2/a/b/blobs/${one.layer.digest}`]);
  assert.equal(one.registry.requests[0]?.headers.host, one.registry.host);
});

test("R-74: each URL has the proxy that is meant for it, or none", async () => {
  await using one = await oneImage();
  await using proxy = await startProxy();
  await using client = puller({ proxy: (url) => (url.pathname.includes("manifests") ? proxy.url : undefined) });
  await client.image(one.name).manifest();
  await blob(client.image(one.name), one.layer);
  assert.equal(proxy.asked.length, 1);
});

test("R-74: a proxy that refuses, wants a login or is not there is named", { skip }, async () => {
  const own = await authority();
  await using one = await oneImage({ tls: await own.issue() });
  await using strict = await startProxy({ login });
  await using closed = await startProxy({ refusal: 403 });
  const gone = await startProxy();
  await gone[Symbol.asyncDispose]();
  for (const [proxy, found] of [
    [strict, /the proxy on the way to 127\.0\.0\.1:\d+ wants a user and a password$/],
    [closed, /the proxy on the way to 127\.0\.0\.1:\d+ does not let it through \(status 403\)$/],
    [gone, /cannot reach the proxy 127\.0\.0\.1:\d+: it refuses connections$/],
  ] as const) {
    await using client = puller({ tls: { ca: [own.cert] }, proxy: () => proxy.url });
    const error = await failure(client.image(one.name).manifest());
    assert.equal(error.code, "UNREACHABLE");
    assert.match(error.message, found);
  }
});

test("R-74: what is wrong with a proxy's user is told from what is wrong with the host, and never blamed on the registry", async () => {
  await using one = await oneImage();
  one.registry.always(/manifests/, answer(407));
  await using plain = puller();
  const asked = await failure(plain.image(one.name).manifest());
  assert.deepEqual(
    [asked.code, asked.hint],
    ["UNREACHABLE", "put them into the proxy's URL: http://USER:PASSWORD@HOST:PORT"],
  );
  for (const [status, found, hint] of [
    [401, /rejects the user and the password in its URL \(status 401\)$/, /^correct them/],
    [407, /rejects the user and the password in its URL \(status 407\)$/, /^correct them/],
    [500, /answers 500$/, /host's name and port/],
  ] as const) {
    await using proxy = await startProxy({ refusal: status });
    await using client = puller({
      proxy: () => new URL(proxy.url.href.replace("//", "//alice:wrong@")),
      plainHttp: false,
    });
    const error = await failure(client.image(one.name).manifest());
    assert.equal(error.code, "UNREACHABLE");
    assert.match(error.message, found);
    assert.match(error.hint ?? "", hint);
  }
});

test("a proxy's password is in no event and no error", { skip }, async () => {
  const own = await authority();
  await using one = await oneImage({ tls: await own.issue() });
  await using proxy = await startProxy({ login: "somebody:else" });
  const secret = new URL(proxy.url.href.replace("//", "//alice:planted-secret@"));
  await using client = puller({ tls: { ca: [own.cert] }, proxy: () => secret });
  const error = await failure(client.image(one.name).manifest());
  assert.doesNotMatch(JSON.stringify(client.events) + error.stack + String(error.cause), /planted-secret/);
});

test("R-74: tinyproxy takes the same credentials", { skip: skipWithout("openssl", "tinyproxy") }, async () => {
  const own = await authority();
  await using one = await oneImage({ tls: await own.issue() });
  const port = 20_000 + (process.pid % 10_000);
  await using temporary = await scratch();
  const configuration = join(temporary.directory, "tinyproxy.conf");
  await writeFile(
    configuration,
    `Port ${port}\nListen 127.0.0.1\nBasicAuth alice secretword\nTimeout 10\nMaxClients 20\n`,
  );
  const child = spawn("tinyproxy", ["-d", "-c", configuration], { stdio: "ignore" });
  try {
    await untilListening({ address: "127.0.0.1", port }, "tinyproxy");
    const proxy = (password: string) => () => new URL(`http://alice:${password}@127.0.0.1:${port}`);
    await using client = puller({ tls: { ca: [own.cert] }, proxy: proxy("secretword") });
    assert.deepEqual(await blob(client.image(one.name), one.layer), one.content);
    await using wrong = puller({ tls: { ca: [own.cert] }, retries: 0, proxy: proxy("wrong") });
    assert.equal((await failure(wrong.image(one.name).manifest())).code, "UNREACHABLE");
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
});
