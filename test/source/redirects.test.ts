import assert from "node:assert/strict";
import { test } from "node:test";
import { startRegistry } from "../support/registry-double.ts";
import { answer } from "../support/registry-reply.ts";
import { blob, failure, oneImage, puller } from "./pulling.ts";

const user = { username: "alice", password: "correct horse" };

for (const status of [301, 302, 303, 307, 308]) {
  test(`R-58: a redirect with status ${status} is followed`, async () => {
    await using one = await oneImage();
    one.registry.next(/blobs/, answer(status, { location: `/cdn/${one.layer.digest}` }));
    await using client = puller();
    assert.deepEqual(await blob(client.image(one.name), one.layer), one.content);
  });
}

test("R-58, security 5: another origin gets neither authorization nor configured headers, also later in the chain (ggcr #2349)", async () => {
  await using cdn = await startRegistry({ address: "127.0.0.2" });
  await using one = await oneImage({ access: { type: "basic", ...user } });
  cdn.addBlob(one.content);
  // There and back: the second time the registry is only somebody to whom the other host redirects.
  one.registry.next(/blobs/, (reply) => reply);
  one.registry.next(/blobs/, answer(307, { location: `${cdn.url}/out` }));
  cdn.next(/out/, answer(307, { location: `${one.registry.url}/back` }));
  one.registry.next(/back/, answer(307, { location: `${cdn.url}/cdn/${one.layer.digest}` }));
  await using client = puller({ credentials: user, headers: { "x-key": "configured" } });
  assert.deepEqual(await blob(client.image(one.name), one.layer), one.content);
  const seen = [...one.registry.requests, ...cdn.requests]
    .sort((a, b) => a.time - b.time)
    .map(({ path, headers }) => [
      path.replace(/^\/(v2|cdn)\/.*/, "$1"),
      headers.authorization !== undefined,
      headers["x-key"] !== undefined,
    ]);
  assert.deepEqual(seen, [
    ["v2", false, true],
    ["v2", true, true],
    ["/out", false, false],
    ["/back", false, false],
    ["cdn", false, false],
  ]);
});

test("R-58: within the registry the authorization stays", async () => {
  await using one = await oneImage({ access: { type: "basic", ...user } });
  one.registry.next(/blobs/, (reply) => reply);
  one.registry.next(/blobs/, answer(307, { location: `/v2/a/b/blobs/${one.layer.digest}?again` }));
  await using client = puller({ credentials: user });
  assert.deepEqual(await blob(client.image(one.name), one.layer), one.content);
});

test("R-58: Range and Accept go along", async () => {
  await using cdn = await startRegistry({ address: "127.0.0.2" });
  await using one = await oneImage({ redirectBlobs: (digest) => `${cdn.url}/cdn/${digest}` });
  cdn.addBlob(one.content);
  cdn.next(/cdn/, (reply) => ({ ...reply, delivery: { kind: "reset", afterBytes: 1000 } }));
  await using client = puller();
  await blob(client.image(one.name), one.layer);
  assert.equal(cdn.requests[1]?.headers.range, "bytes=1000-");
  one.registry.next(/manifests/, answer(302, { location: `${cdn.url}/v2/a/b/manifests/latest` }));
  cdn.addManifest("a/b", "latest", {});
  await client.image(one.name).manifest();
  assert.match(cdn.requests.at(-1)?.headers.accept ?? "", /oci\.image\.index/);
});

test("R-58: five redirects are followed, and not a sixth", async () => {
  await using one = await oneImage();
  await using client = puller();
  for (let count = 0; count < 5; count++) one.registry.next(/blobs/, answer(307, { location: "?again" }));
  await blob(client.image(one.name), one.layer);
  one.registry.always(/blobs/, answer(307, { location: "?again" }));
  const before = one.registry.requests.length;
  const error = await failure(blob(client.image(one.name), one.layer));
  assert.equal(error.code, "REGISTRY_ERROR");
  assert.match(error.message, /redirects more than 5 times$/);
  assert.equal(one.registry.requests.length - before, 6);
});

test("R-58: a host that a redirect leads to and that wants a token gets one that anybody has (ggcr #2360)", async () => {
  await using cdn = await startRegistry({ address: "127.0.0.2", access: { type: "token" } });
  await using one = await oneImage({ access: { type: "token", ...user } });
  cdn.addBlob(one.content);
  one.registry.next(/blobs/, (reply) => reply);
  one.registry.next(/blobs/, answer(307, { location: `${cdn.url}/v2/a/b/blobs/${one.layer.digest}` }));
  await using client = puller({ credentials: user });
  assert.deepEqual(await blob(client.image(one.name), one.layer), one.content);
  const [refused, exchange, download] = cdn.requests;
  assert.equal(refused?.headers.authorization, undefined);
  assert.equal(exchange?.headers.authorization, undefined, "the exchange is anonymous");
  assert.equal(download?.headers.authorization, `Bearer ${cdn.tokens[0]}`);
});

test("a redirect to what is no http address is refused", async () => {
  for (const [location, code] of [
    ["ftp://127.0.0.1/x", "POLICY_DENIED"],
    ["file:///etc/passwd", "POLICY_DENIED"],
    ["http://[", "REGISTRY_ERROR"],
    ["http://127.0.0.1\\@127.0.0.2/", "REGISTRY_ERROR"],
  ] as const) {
    await using one = await oneImage();
    one.registry.always(/blobs/, answer(307, { location }));
    await using client = puller();
    assert.equal((await failure(blob(client.image(one.name), one.layer))).code, code, location);
  }
});

test("security 14: a signed link is in no event and no error", async () => {
  await using cdn = await startRegistry({ address: "127.0.0.2" });
  await using one = await oneImage({
    redirectBlobs: (digest) => `${cdn.url}/cdn/${digest}?X-Signature=planted-secret`,
  });
  await using client = puller();
  const error = await failure(blob(client.image(one.name), one.layer));
  const told = JSON.stringify(client.events) + error.message + error.hint + String(error.cause) + error.stack;
  assert.match(told, /X-Signature=\[secret\]/);
  assert.doesNotMatch(told, /planted-secret/);
});
