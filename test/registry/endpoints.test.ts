import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultDeadlines, settledDeadlines } from "../../src/http/options.ts";
import { RequestFailure } from "../../src/http/request-failure.ts";
import { registrySource } from "../../src/index.ts";
import { withMirrors } from "../../src/registry/endpoints.ts";
import type { Endpoint } from "../../src/registry/options.ts";
import { asked, blob, failure, type OneImage, oneImage, puller } from "../source/pulling.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { answer, closeAfter, hangAfter, resetAfter, stating, withBody } from "../support/registry-reply.ts";

function endpoint({ url }: RegistryDouble, more: Partial<Endpoint> = {}): Endpoint {
  return { baseUrl: `${url}/v2`, resolvesTags: true, servesDigests: true, ...more };
}

/** A mirror of an image, and a client that is to ask it first. */
async function mirrored(one: OneImage, more: Partial<Endpoint> = {}, options: Parameters<typeof puller>[0] = {}) {
  const mirror = await startRegistry({ address: "127.0.0.2", content: one.registry.content });
  const endpoints = async () => [endpoint(mirror, more), endpoint(one.registry)];
  const client = puller({ endpoints, ...options });
  return {
    mirror,
    client,
    image: client.image(one.name),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await mirror[Symbol.asyncDispose]();
    },
  };
}

test("R-73: a mirror is asked first, the registry only if it must be", async () => {
  await using one = await oneImage();
  await using fleet = await mirrored(one);
  await fleet.image.manifest();
  assert.deepEqual(await blob(fleet.image, one.layer), one.content);
  assert.deepEqual(asked(fleet.mirror), ["GET manifests/latest", `GET blobs/${one.layer.digest}`]);
  assert.equal(one.registry.requests.length, 0);
});

test("R-73: tags are asked for only where they may be resolved, digests only where they are served", async () => {
  await using one = await oneImage();
  await using untrusted = await mirrored(one, { resolvesTags: false });
  await untrusted.image.manifest();
  assert.deepEqual(asked(untrusted.mirror), []);
  await blob(untrusted.image, one.layer);
  assert.deepEqual(asked(untrusted.mirror), [`GET blobs/${one.layer.digest}`]);
  await using resolver = await mirrored(one, { servesDigests: false });
  await blob(resolver.image, one.layer);
  assert.deepEqual(asked(resolver.mirror), []);
});

test("R-73: whatever is wrong with a mirror, the next host is asked, without waiting", async () => {
  for (const fault of [
    answer(404),
    answer(401),
    answer(403),
    answer(500),
    answer(429, { "retry-after": "60" }),
    resetAfter(-1),
    hangAfter(-1),
    withBody((body) => body.subarray(1)),
    answer(307, { location: "ftp://x/" }),
  ]) {
    await using one = await oneImage();
    await using fleet = await mirrored(one, {}, { deadlines: { responseMilliseconds: 1_000 } });
    fleet.mirror.always(/./, fault);
    const byDigest = fleet.client.image(`${one.name}@${one.manifest.digest}`);
    await byDigest.manifest();
    assert.deepEqual(await blob(fleet.image, one.layer), one.content);
    assert.equal(fleet.client.told("retrying").length, 0);
  }
});

test("R-73: a mirror that asks clients to wait is skipped, and nobody waits for it", async () => {
  await using one = await oneImage();
  await using fleet = await mirrored(one);
  fleet.mirror.next(/manifests/, answer(429, { "retry-after": "30" }));
  await fleet.image.manifest();
  await fleet.image.manifest();
  await blob(fleet.image, one.layer);
  assert.equal(fleet.mirror.requests.length, 1);
  assert.equal(one.registry.requests.length, 3);
});

test("R-73: a blob that breaks off at a mirror goes on at the registry, from the same byte", async () => {
  await using one = await oneImage();
  await using fleet = await mirrored(one);
  fleet.mirror.next(/blobs/, resetAfter(30_000));
  fleet.mirror.always(/blobs/, answer(404));
  assert.deepEqual(await blob(fleet.image, one.layer), one.content);
  assert.equal(one.registry.requests[0]?.headers.range, "bytes=30000-");
  assert.equal(one.registry.requests[0]?.headers["if-range"], undefined, "the mirror's ETag is the mirror's own");
});

test("R-61: a short blob that is corrupt at a mirror comes from the registry, and nobody notices", async () => {
  await using one = await oneImage();
  await using fleet = await mirrored(one);
  fleet.mirror.always(
    /blobs/,
    withBody((body) => Buffer.from(body).fill(0, 5_000, 5_100)),
  );
  assert.deepEqual(await blob(fleet.image, one.layer), one.content);
  await blob(fleet.image, one.layer);
  assert.equal(fleet.mirror.requests.length, 1, "and the mirror is not asked for it again");
});

test("R-61: a long blob that is corrupt at a mirror is an error, and comes from the registry the next time", async () => {
  await using one = await oneImage({}, 5_000_000);
  await using fleet = await mirrored(one);
  fleet.mirror.always(
    /blobs/,
    withBody((body) => Buffer.from(body).fill(0, 5_000, 5_100)),
  );
  const error = await failure(blob(fleet.image, one.layer));
  assert.equal(error.code, "DIGEST_MISMATCH");
  assert.match(error.message, /127\.0\.0\.2:\d+ sends 5000000 bytes whose digest is sha256:/);
  assert.equal(Buffer.compare(await blob(fleet.image, one.layer), one.content), 0);
});

test("R-62: the error for a corrupt blob names both digests, the size, the mirror, and that it was resumed", async () => {
  await using one = await oneImage({}, 5_000_000);
  await using fleet = await mirrored(one);
  const corrupt = withBody((body) => Buffer.from(body).fill(0, 0, 100));
  fleet.mirror.next(/blobs/, (reply, request) => closeAfter(2_000_000)(corrupt(reply, request), request));
  const { message } = await failure(blob(fleet.image, one.layer));
  const shape =
    /^cannot fetch .+@(sha256:\w+): 127\.0\.0\.2:\d+ sends 5000000 bytes whose digest is sha256:\w+, in 2 attempts$/;
  assert.equal(shape.exec(message)?.[1], one.layer.digest);
});

test("R-61: a blob that is corrupt everywhere is an error", async () => {
  await using one = await oneImage();
  await using fleet = await mirrored(one);
  for (const { always } of [fleet.mirror, one.registry])
    always(
      /blobs/,
      withBody((body) => Buffer.from(body).fill(0)),
    );
  assert.equal((await failure(blob(fleet.image, one.layer))).code, "DIGEST_MISMATCH");
  assert.equal(one.registry.requests.length, 1);
});

test("R-73: an error tells what was wrong at each host", async () => {
  await using one = await oneImage();
  await using fleet = await mirrored(one);
  fleet.mirror.always(/./, answer(502));
  one.registry.always(/./, answer(404));
  const error = await failure(fleet.image.manifest());
  assert.equal(error.code, "NOT_FOUND");
  assert.match(
    error.message,
    /127\.0\.0\.1:\d+ answers 404 .*\(mirrors failed too: 127\.0\.0\.2:\d+ answers 502 Bad Gateway\)$/,
  );
});

test("a registry that is asked with TLS and then without is told of once, and is no mirror of itself", async () => {
  await using source = registrySource({ retries: 0 });
  const closed = await failure(source.image("localhost:1/app").manifest());
  assert.match(closed.message, /: cannot reach localhost:1: it refuses connections$/);
  const host = "r.example:5000";
  const [without, withTls] = ["answers 404", "does not speak TLS"].map(
    (found) => new RequestFailure("NOT_FOUND", found, { host }),
  );
  assert.ok(without !== undefined && withTls !== undefined);
  assert.equal(withMirrors(without, [without]), without);
  const mirror = new RequestFailure("UNREACHABLE", "the mirror is away", { host: "m.example" });
  assert.equal(
    withMirrors(without, [mirror, withTls, mirror]).message,
    "answers 404 (mirrors failed too: the mirror is away) (before that: does not speak TLS)",
  );
});

test("R-73: the registry's credentials and headers never reach a mirror", async () => {
  const user = { username: "alice", password: "correct horse" };
  await using one = await oneImage({ access: { type: "basic", ...user } });
  for (const credentials of [user, async (host: string) => (host === one.registry.host ? user : undefined)]) {
    await using fleet = await mirrored(
      one,
      { headers: { "x-mirror": "1" } },
      { credentials, headers: { "x-registry": "1" } },
    );
    fleet.mirror.always(/./, answer(401, { "www-authenticate": 'Basic realm="give me"' }));
    await fleet.image.manifest();
    for (const { headers } of fleet.mirror.requests) {
      assert.deepEqual(
        [headers.authorization, headers["x-registry"], headers["x-mirror"]],
        [undefined, undefined, "1"],
      );
    }
    for (const { headers } of one.registry.requests) {
      assert.deepEqual([headers["x-registry"], headers["x-mirror"]], ["1", undefined]);
    }
  }
});

test("R-71: a mirror is told for which registry it stands, under which name it has the repository", async () => {
  await using one = await oneImage();
  await using fleet = await mirrored(one, { namespace: "registry.test:5000", repository: "copies/a/b" });
  one.registry.addManifest("copies/a/b", "latest", {});
  await fleet.image.manifest();
  assert.equal(fleet.mirror.requests[0]?.path, "/v2/copies/a/b/manifests/latest?ns=registry.test%3A5000");
});

test("R-71: a mirror that does not accept connections in time is passed over", { timeout: 120_000 }, async () => {
  await using one = await oneImage();
  // 240.0.0.0/4 is reserved: nobody answers, and usually nobody refuses either.
  const nowhere = { baseUrl: "http://240.0.0.1/v2", resolvesTags: true, servesDigests: true, connectMilliseconds: 100 };
  const endpoints = async () => [nowhere, endpoint(one.registry)];
  // Without a deadline of its own it would have days.
  await using client = puller({ endpoints, deadlines: { connectMilliseconds: 2 ** 30 } });
  await client.image(one.name).manifest();
});

test("a deadline that is longer than a timer can be is the longest one, and not over at once", async () => {
  const longer = 2 ** 40;
  const all = Object.fromEntries(Object.keys(defaultDeadlines).map((name) => [name, longer]));
  assert.deepEqual(new Set(Object.values(settledDeadlines(all))), new Set([2 ** 31 - 1]));
  await using one = await oneImage();
  const endpoints = async () => [endpoint(one.registry, { connectMilliseconds: longer })];
  await using client = puller({ endpoints, deadlines: all });
  await client.image(one.name).manifest();
});

test("the registry is not asked where the configuration leaves it out", async () => {
  await using one = await oneImage();
  await using client = puller({ endpoints: async () => [] });
  assert.equal((await failure(client.image(one.name).manifest())).code, "NOT_FOUND");
  assert.equal((await failure(blob(client.image(one.name), one.layer))).code, "NOT_FOUND");
  assert.equal(one.registry.requests.length, 0);
});

test("a mirror's wrong ranges are not held against the registry", async () => {
  await using one = await oneImage();
  await using fleet = await mirrored(one);
  fleet.mirror.next(/blobs/, resetAfter(30_000));
  fleet.mirror.next(/blobs/, stating({ "content-range": "bytes 0-69999/100000" }));
  fleet.mirror.next(/blobs/, resetAfter(30_000));
  fleet.mirror.always(/blobs/, answer(404));
  assert.deepEqual(await blob(fleet.image, one.layer), one.content);
  assert.equal(one.registry.requests[0]?.headers.range, "bytes=30000-");
});
