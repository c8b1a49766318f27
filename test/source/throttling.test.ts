import assert from "node:assert/strict";
import { test } from "node:test";
import { retryAfterMilliseconds } from "../../src/http/retry.ts";
import { answer, stating } from "../support/registry-reply.ts";
import { blob, failure, oneImage, puller } from "./pulling.ts";

test("R-56: Retry-After is read as seconds and as a date, RateLimit-Reset as seconds and as a moment", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  assert.equal(retryAfterMilliseconds({ "retry-after": "7" }, now), 7000);
  assert.equal(retryAfterMilliseconds({ "retry-after": "Thu, 01 Jan 2026 00:00:09 GMT" }, now), 9000);
  assert.equal(retryAfterMilliseconds({ "retry-after": "Wed, 31 Dec 2025 00:00:00 GMT" }, now), 0);
  assert.equal(retryAfterMilliseconds({ "retry-after": "soon" }, now), undefined);
  assert.equal(retryAfterMilliseconds({ "ratelimit-reset": "30" }, now), 30_000);
  assert.equal(retryAfterMilliseconds({ "x-ratelimit-reset": String(now / 1000 + 60) }, now), 60_000);
  assert.equal(retryAfterMilliseconds({}, now), undefined);
});

test("R-56: Retry-After is waited for in both its forms, and the user hears how long", async () => {
  for (const value of ["1", () => new Date(Date.now() + 1500).toUTCString()]) {
    await using one = await oneImage();
    await using client = puller();
    one.registry.next(/manifests/, answer(429, { "retry-after": typeof value === "string" ? value : value() }));
    await client.image(one.name).manifest();
    const [first, second] = one.registry.requests;
    const waited = (second?.time ?? 0) - (first?.time ?? 0);
    const [told] = client.told("retrying");
    assert.ok(waited >= (told?.delayMilliseconds ?? Number.POSITIVE_INFINITY) - 5, `${waited} ms`);
    assert.match(told?.reason ?? "", /limits the rate of requests/);
  }
});

test("R-56: a wait that is too long is an error that says until when", async () => {
  await using one = await oneImage();
  one.registry.always(/manifests/, answer(429, { "retry-after": "3600" }, "toomanyrequests"));
  await using client = puller();
  const error = await failure(client.image(one.name).manifest());
  assert.equal(error.code, "RATE_LIMITED");
  assert.match(error.message, /; 127\.0\.0\.1:\d+ asks clients to wait until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.equal((await failure(blob(client.image(one.name), one.layer))).code, "RATE_LIMITED");
  assert.equal(one.registry.requests.length, 1, "nor is it asked for anything else");
});

test("R-56: while one request waits, no other goes to that host", async () => {
  await using one = await oneImage();
  await using client = puller();
  one.registry.next(/manifests/, answer(503, { "retry-after": "1" }));
  const image = client.image(one.name);
  const first = image.manifest();
  while (client.told("retrying").length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  await Promise.all([first, ...Array.from({ length: 8 }, () => blob(image, one.layer))]);
  const [refused, ...others] = one.registry.requests;
  for (const { time } of others)
    assert.ok(time - (refused?.time ?? 0) >= 990, `asked after ${time - (refused?.time ?? 0)} ms`);
});

test("what is left of Docker Hub's quota is told", async () => {
  await using one = await oneImage();
  one.registry.next(/manifests/, stating({ "ratelimit-limit": "100;w=21600", "ratelimit-remaining": "76;w=21600" }));
  await using client = puller();
  await client.image(one.name).manifest();
  assert.match(client.told("decision").at(-1)?.message ?? "", /has a quota, of which 76;w=21600 is left$/);
});

test("R-56: without advice the pauses grow, and are drawn by lot", async () => {
  await using one = await oneImage();
  one.registry.always(/manifests/, answer(500));
  const limits = [8, 16, 32, 64, 128];
  const delays: number[] = [];
  for (let round = 0; round < 3; round++) {
    await using client = puller({ deadlines: { backoffMilliseconds: 8 } });
    await failure(client.image(one.name).manifest());
    const told = client.told("retrying").map(({ delayMilliseconds }) => delayMilliseconds);
    assert.ok(told.every((delay, index) => delay <= (limits[index] ?? 0)));
    delays.push(...told);
  }
  // Whole milliseconds, of which some are drawn twice; without the lot there would be five.
  assert.ok(new Set(delays).size > 7, delays.join());
});
