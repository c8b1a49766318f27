import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { described } from "../support/registry-double.ts";
import { answer, type Fault, hangAfter, stating, withBody } from "../support/registry-reply.ts";
import { asked, failure, oneImage, puller } from "./pulling.ts";

const types = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];

test("R-30: indexes are accepted first, in one list, without wildcards and schema 1", async () => {
  await using one = await oneImage();
  await using client = puller();
  await client.image(one.name).manifest();
  assert.equal(one.registry.requests[0]?.headers.accept, types.join(", "));
});

test("R-30: hosts that need it get each type in a header of its own", async () => {
  await using one = await oneImage();
  await using client = puller({ repeatAccept: [one.registry.host] });
  await client.image(one.name).manifest();
  const { rawHeaders = [] } = one.registry.requests[0] ?? {};
  const accepted = rawHeaders.filter((_, index) => rawHeaders[index - 1]?.toLowerCase() === "accept");
  assert.deepEqual(accepted, types);
});

test("R-31: the type comes as the server says it, without parameters, in lower case", async () => {
  await using one = await oneImage();
  await using client = puller();
  for (const [said, type] of [
    ["Application/JSON; charset=utf-8", "application/json"],
    [undefined, ""],
  ] as const) {
    one.registry.next(/manifests/, stating({ "content-type": said }));
    assert.equal((await client.image(one.name).manifest()).mediaType, type);
  }
});

test("R-31: a registry that has no type of ours is asked once for any", async () => {
  await using one = await oneImage();
  one.registry.next(/manifests/, answer(406));
  await using client = puller();
  await client.image(one.name).manifest();
  assert.equal(one.registry.requests[1]?.headers.accept, `${types.join(", ")}, application/json, */*`);
  one.registry.always(/manifests/, answer(406));
  assert.equal((await failure(client.image(one.name).manifest())).code, "REGISTRY_ERROR");
  assert.equal(one.registry.requests.length, 4);
});

test("a web page in place of a manifest is named for what it is", async () => {
  await using one = await oneImage();
  one.registry.always(/manifests/, answer(200, { "content-type": "text/html; charset=utf-8" }, "<html>moved</html>"));
  await using client = puller();
  const error = await failure(client.image(one.name).manifest());
  assert.equal(error.code, "REGISTRY_ERROR");
  assert.match(error.message, /sends a web page where a manifest should be$/);
});

test("R-33, security 9, security 10: a manifest's bytes are limited on the wire and decompressed", async () => {
  const bomb: Fault = (reply, request) =>
    stating({ "content-encoding": "gzip" })(
      withBody(() => gzipSync(Buffer.alloc(20_000_000)))(reply, request),
      request,
    );
  for (const fault of [withBody(() => Buffer.alloc(5_000_000)), bomb]) {
    await using one = await oneImage();
    one.registry.always(/manifests/, fault);
    await using client = puller();
    const error = await failure(client.image(one.name).manifest());
    assert.equal(error.code, "LIMIT_EXCEEDED");
    assert.match(error.hint ?? "", /the limit manifestBytes, now 4194304/);
    assert.equal(one.registry.requests.length, 1);
  }
});

test("security 9: of an error without end only the beginning is read", async () => {
  await using one = await oneImage();
  one.registry.always(/manifests/, (reply, request) =>
    hangAfter(100_000)(answer(403, {}, Buffer.alloc(200_000, "no "))(reply, request), request),
  );
  await using client = puller();
  const error = await failure(client.image(one.name).manifest());
  assert.equal(error.code, "FORBIDDEN");
  assert.ok(error.message.length < 500);
});

test("R-33: a manifest that was compressed on the way is read all the same", async () => {
  await using one = await oneImage();
  one.registry.next(/manifests/, (reply, request) =>
    stating({ "content-encoding": "gzip" })(withBody((body) => gzipSync(body))(reply, request), request),
  );
  await using client = puller();
  const { bytes } = await client.image(`${one.name}@${one.manifest.digest}`).manifest();
  assert.equal(bytes.length, one.manifest.size);
});

test("R-34: a manifest pulled by digest has the size and the digest asked for, whatever headers say", async () => {
  await using one = await oneImage();
  await using client = puller();
  const image = client.image(`${one.name}@${one.manifest.digest}`);
  one.registry.next(/manifests/, stating({ "docker-content-digest": `sha256:${"0".repeat(64)}` }));
  assert.equal((await image.manifest()).bytes.length, one.manifest.size);
  one.registry.next(
    /manifests/,
    withBody((body) => Buffer.from(body).fill(32, 0, 1)),
  );
  assert.equal((await failure(image.manifest())).code, "DIGEST_MISMATCH");
  one.registry.next(
    /manifests/,
    withBody((body) => Buffer.concat([body, Buffer.from(" ")])),
  );
  assert.equal((await failure(image.manifest(described(one.manifest)))).code, "SIZE_MISMATCH");
});

test("R-34: on a pull by tag a digest header that disagrees is a warning, and with strict an error", async () => {
  await using one = await oneImage();
  one.registry.always(/manifests/, stating({ "docker-content-digest": `sha256:${"0".repeat(64)}` }));
  await using lenient = puller();
  await lenient.image(one.name).manifest();
  assert.deepEqual(
    lenient.told("warning").map(({ code }) => code),
    ["DIGEST_HEADER_DISAGREES"],
  );
  await using strict = puller({ strict: true });
  assert.equal((await failure(strict.image(one.name).manifest())).code, "DIGEST_MISMATCH");
});

test("R-34: a missing or unreadable digest header says nothing", async () => {
  await using one = await oneImage();
  await using client = puller({ strict: true });
  for (const said of [undefined, "sha256:short", "md5:00"]) {
    one.registry.next(/manifests/, stating({ "docker-content-digest": said }));
    await client.image(one.name).manifest();
  }
  assert.deepEqual(client.told("warning"), []);
});

test("R-35: a pull needs no HEAD, and a reference with tag and digest asks by digest", async () => {
  await using one = await oneImage();
  await using client = puller();
  await client.image(`${one.name}:latest@${one.manifest.digest}`).manifest();
  assert.deepEqual(asked(one.registry), [`GET manifests/${one.manifest.digest}`]);
});
