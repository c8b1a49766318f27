import assert from "node:assert/strict";
import { test } from "node:test";
import { startRegistry } from "../support/registry-double.ts";
import { answer, closeAfter } from "../support/registry-reply.ts";
import { blob, oneImage, puller } from "./pulling.ts";

const user = { username: "alice", password: "planted-password", origin: "auth.json" };

test("the trail of decisions tells why a pull went as it did, in order", async () => {
  await using mirror = await startRegistry({ address: "127.0.0.2" });
  await using cdn = await startRegistry({ address: "127.0.0.3" });
  await using one = await oneImage({
    access: { type: "token", ...user },
    redirectBlobs: (digest) => `${cdn.url}/cdn/${digest}?signature=planted-signature`,
  });
  cdn.addBlob(one.content);
  cdn.next(/cdn/, closeAfter(30_000));
  mirror.always(/./, answer(502));
  const endpoint = { resolvesTags: true, servesDigests: true };
  await using client = puller({
    credentials: user,
    endpoints: async () => [
      { ...endpoint, baseUrl: `${mirror.url}/v2`, origin: "hosts.toml" },
      { ...endpoint, baseUrl: `${one.registry.url}/v2` },
    ],
  });
  const image = client.image(one.name);
  await image.manifest();
  await blob(image, one.layer);

  const names: [string, string][] = [
    [mirror.host, "MIRROR"],
    [one.registry.host, "REGISTRY"],
    [cdn.host, "CDN"],
    [one.layer.digest, "DIGEST"],
  ];
  const trail = client.told("decision").map(({ topic, message }) => {
    const text = names.reduce((before, [name, word]) => before.replaceAll(name, word), message);
    return `${topic}: ${text}`;
  });
  assert.deepEqual(trail, [
    'reference: "REGISTRY/a/b" is REGISTRY/a/b:latest',
    "endpoint: REGISTRY/a/b is asked for at http://MIRROR/v2 (hosts.toml), http://REGISTRY/v2",
    "endpoint: MIRROR is skipped: MIRROR answers 502 Bad Gateway",
    "challenge: REGISTRY asks for a login (bearer), realm http://REGISTRY/token, service double, scope repository:a/b:pull",
    "credentials: those of auth.json for REGISTRY/a/b",
    "token: REGISTRY gives one to the user for repository:a/b:pull; it is renewed in 295 s",
    "endpoint: MIRROR is skipped: MIRROR answers 502 Bad Gateway",
    "redirect: REGISTRY redirects to http://CDN/cdn/DIGEST?signature=[secret]",
    "redirect: REGISTRY redirects to http://CDN/cdn/DIGEST?signature=[secret]",
    "range: REGISTRY goes on at byte 30000",
  ]);
  const told = JSON.stringify(client.events);
  for (const secret of ["planted", ...one.registry.tokens]) assert.ok(!told.includes(secret));
});

test("the trail tells what each mirror may be asked for, and who gave a token to whom", async () => {
  await using one = await oneImage({ access: { type: "token" } });
  const itself = { baseUrl: `${one.registry.url}/v2`, resolvesTags: true, servesDigests: true };
  await using client = puller({
    endpoints: async () => [
      { ...itself, baseUrl: "http://127.0.0.1:1/v2", resolvesTags: false, origin: "hosts.toml" },
      { ...itself, baseUrl: "http://127.0.0.1:2/v2", servesDigests: false },
      itself,
    ],
  });
  await client.image(one.name).manifest();
  const trail = client.told("decision").map(({ message }) => message.replaceAll(one.registry.host, "REGISTRY"));
  assert.equal(
    trail.find((message) => message.includes("asked for at"))?.replace(/^.* at /, ""),
    "http://127.0.0.1:1/v2 (never what a tag means; hosts.toml), http://127.0.0.1:2/v2 (tags only), http://REGISTRY/v2",
  );
  assert.ok(
    trail.includes("REGISTRY gives one to anybody for repository:a/b:pull; it is renewed in 295 s"),
    `${trail}`,
  );
});

test("a listener that throws ends the pull with its own error", async () => {
  await using one = await oneImage();
  await using client = puller();
  const reason = new Error("I have heard enough");
  const onEvent = () => {
    throw reason;
  };
  await assert.rejects(client.image(one.name).manifest(undefined, { onEvent }), (error) => error === reason);
});
