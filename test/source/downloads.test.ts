import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { eventually } from "../support/eventually.ts";
import { heldTimers } from "../support/held-timers.ts";
import { described, startRegistry } from "../support/registry-double.ts";
import {
  answer,
  closeAfter,
  drip,
  type Fault,
  hangAfter,
  inSteps,
  type Reply,
  resetAfter,
  stating,
  withBody,
} from "../support/registry-reply.ts";
import { blob, distinctBytes, failure, type OneImage, oneImage, puller } from "./pulling.ts";

const MiB = 1024 * 1024;

/** The ranges that were asked for, in order. */
function ranges({ registry }: OneImage): (string | undefined)[] {
  return registry.requests.map(({ headers }) => headers.range);
}

test("R-50: blobs are asked for as they are, without encoding", async () => {
  await using one = await oneImage();
  await using client = puller();
  await blob(client.image(one.name), one.layer);
  assert.equal(one.registry.requests[0]?.headers["accept-encoding"], "identity");
});

test("R-50: a tar.gz that a server calls gzip-encoded is the blob as it is (moby #17595)", async () => {
  for (const encoding of ["gzip", "x-gzip"]) {
    for (const length of ["stated", undefined]) {
      await using registry = await startRegistry();
      const content = gzipSync(distinctBytes(50_000));
      const layer = registry.addBlob(content);
      const headers = { "content-encoding": encoding, ...(length === undefined && { "content-length": undefined }) };
      registry.always(/blobs/, stating(headers));
      await using client = puller();
      assert.deepEqual(await blob(client.image(`${registry.host}/a/b`), layer), content);
    }
  }
});

test("R-50: what a server really compressed is decompressed again, and nothing else", async () => {
  const compressed: Fault = (reply, request) => {
    const whole = withBody((body) => gzipSync(body))(reply, request);
    return stating({ "content-encoding": "gzip", "content-length": undefined })(whole, request);
  };
  for (const content of [distinctBytes(300_000), gzipSync(distinctBytes(300_000))]) {
    const mediaType = `application/vnd.oci.image.layer.v1.tar${content[0] === 0x1f ? "+gzip" : ""}`;
    await using registry = await startRegistry();
    const layer = registry.addBlob(content, mediaType);
    registry.always(/blobs/, compressed);
    await using client = puller();
    assert.deepEqual(await blob(client.image(`${registry.host}/a/b`), layer), content);
  }
});

test("R-50: what a server compressed comes to an end, also where nothing comes out of it", async () => {
  await using one = await oneImage();
  const nothing = gzipSync("");
  one.registry.always(/blobs/, (reply, request) => {
    const whole = withBody((body) => Buffer.alloc(3 * body.length + 1_000_000, nothing))(reply, request);
    return stating({ "content-encoding": "gzip" })(whole, request);
  });
  await using client = puller();
  const error = await failure(blob(client.image(one.name), one.layer));
  assert.equal(error.code, "SIZE_MISMATCH");
  assert.match(error.message, /sends more than \d+ bytes of a blob/);
});

test("R-51: a blob that is announced with another length is refused before it is read", async () => {
  await using one = await oneImage();
  one.registry.always(
    /blobs/,
    withBody((body) => Buffer.concat([body, body])),
  );
  await using client = puller();
  const error = await failure(blob(client.image(one.name), one.layer));
  assert.equal(error.code, "SIZE_MISMATCH");
  assert.match(error.message, /has 200000 bytes instead of 100000$/);
  assert.equal(one.registry.requests.length, 1);
});

test("R-51: a blob without a length is read to its size and not beyond", async () => {
  await using one = await oneImage();
  one.registry.next(/blobs/, stating({ "content-length": undefined }));
  await using client = puller();
  assert.deepEqual(await blob(client.image(one.name), one.layer), one.content);
  one.registry.next(/blobs/, (reply: Reply, request) =>
    stating({ "content-length": undefined })(withBody((body) => Buffer.concat([body, body]))(reply, request), request),
  );
  let bytes = 0;
  const reading = (async () => {
    for await (const chunk of client.image(one.name).blob(described(one.layer))) bytes += chunk.length;
  })();
  assert.equal((await failure(reading)).code, "SIZE_MISMATCH");
  assert.ok(bytes <= one.layer.size);
});

test("R-51: a blob that ends early is not complete but goes on", async () => {
  await using one = await oneImage();
  one.registry.next(/blobs/, (reply, request) =>
    stating({ "content-length": undefined })(withBody((body) => body.subarray(0, 40_000))(reply, request), request),
  );
  await using client = puller();
  assert.deepEqual(await blob(client.image(one.name), one.layer), one.content);
  assert.deepEqual(ranges(one), [undefined, "bytes=40000-"]);
});

test("R-52: a broken download goes on where it stopped, if the blob is still the same one", async () => {
  await using one = await oneImage();
  one.registry.next(/blobs/, resetAfter(30_000));
  one.registry.next(/blobs/, closeAfter(20_000));
  await using client = puller();
  assert.deepEqual(await blob(client.image(one.name), one.layer), one.content);
  assert.deepEqual(ranges(one), [undefined, "bytes=30000-", "bytes=50000-"]);
  assert.deepEqual(
    one.registry.requests.map(({ headers }) => headers["if-range"]),
    [undefined, `"${one.layer.digest}"`, `"${one.layer.digest}"`],
  );
});

test("R-52: a weak ETag is no reason to join bytes", async () => {
  await using one = await oneImage();
  one.registry.next(/blobs/, (reply, request) =>
    resetAfter(30_000)(stating({ etag: 'W/"1"' })(reply, request), request),
  );
  await using client = puller();
  await blob(client.image(one.name), one.layer);
  assert.equal(one.registry.requests[1]?.headers["if-range"], undefined);
});

test("R-52: a partial answer that is not the part asked for is dropped, and the blob still comes", async () => {
  const lies: Record<string, Fault> = {
    shifted: stating({ "content-range": "bytes 29999-99998/100000" }),
    short: stating({ "content-range": "bytes 30000-59999/100000" }),
    "of another whole": stating({ "content-range": "bytes 30000-99999/100001" }),
    unexplained: stating({ "content-range": undefined }),
    multipart: stating({ "content-range": undefined, "content-type": "multipart/byteranges; boundary=x" }),
    "of another length": stating({ "content-length": undefined, "content-range": "bytes 30000-99998/100000" }),
    "with another ETag": stating({ etag: '"another"' }),
    impossible: answer(416, { "content-range": "bytes */100000" }),
  };
  for (const [name, lie] of Object.entries(lies)) {
    await using one = await oneImage();
    one.registry.next(/blobs/, resetAfter(30_000));
    one.registry.next(/blobs/, lie);
    await using client = puller();
    assert.deepEqual(await blob(client.image(one.name), one.layer), one.content, name);
    assert.deepEqual(ranges(one), [undefined, "bytes=30000-", undefined], name);
  }
});

test("R-52: a server that ignores ranges sends everything again, and what had come is passed over", async () => {
  await using one = await oneImage();
  one.registry.next(/blobs/, resetAfter(30_000));
  one.registry.next(/blobs/, (reply) => ({
    ...reply,
    status: 200,
    headers: { "content-length": one.content.length },
    body: one.content,
  }));
  await using client = puller();
  assert.deepEqual(await blob(client.image(one.name), one.layer), one.content);
  assert.equal(one.registry.requests.length, 2);
});

test("R-52: a host whose ranges are wrong is asked for no more of them", async () => {
  await using one = await oneImage();
  await using client = puller();
  one.registry.next(/blobs/, resetAfter(30_000));
  one.registry.next(/blobs/, stating({ "content-range": undefined }));
  await blob(client.image(one.name), one.layer);
  one.registry.next(/blobs/, resetAfter(30_000));
  assert.deepEqual(await blob(client.image(one.name), one.layer), one.content);
  assert.deepEqual(ranges(one).slice(3), [undefined, undefined]);
});

test("R-53: a download goes on by way of the registry, because links to elsewhere expire", async () => {
  await using cdn = await startRegistry({ address: "127.0.0.2" });
  let links = 0;
  await using one = await oneImage({ redirectBlobs: (digest) => `${cdn.url}/cdn/${digest}?signature=${++links}` });
  cdn.addBlob(one.content);
  cdn.next(/cdn/, resetAfter(30_000));
  cdn.next(/cdn/, answer(403, {}, "link expired"));
  await using client = puller();
  assert.deepEqual(await blob(client.image(one.name), one.layer), one.content);
  assert.deepEqual(
    cdn.requests.map(({ path, headers }) => [path.replace(/.*\?/, ""), headers.range]),
    [
      ["signature=1", undefined],
      ["signature=2", "bytes=30000-"],
      ["signature=3", "bytes=30000-"],
    ],
  );
});

test("R-53: links that never work are not asked for for ever", async () => {
  await using cdn = await startRegistry({ address: "127.0.0.2" });
  await using one = await oneImage({ redirectBlobs: (digest) => `${cdn.url}/cdn/${digest}` });
  await using client = puller();
  const error = await failure(blob(client.image(one.name), one.layer));
  assert.equal(error.code, "REGISTRY_ERROR");
  assert.match(error.message, /127\.0\.0\.2:\d+ answers 404 to a link that the registry gave/);
  assert.equal(cdn.requests.length, 3);
});

test("R-54: a connection may break any number of times while the download gets on", async () => {
  await using one = await oneImage({}, 12 * MiB);
  one.registry.next(/blobs/, closeAfter(MiB + 1), 11);
  await using client = puller({ retries: 2 });
  assert.equal(Buffer.compare(await blob(client.image(one.name), one.layer), one.content), 0);
  assert.equal(one.registry.requests.length, 12);
});

test("R-54: a connection that breaks before it gets on is tried five times more", async () => {
  await using one = await oneImage();
  one.registry.always(/blobs/, resetAfter(10));
  await using client = puller();
  const error = await failure(blob(client.image(one.name), one.layer));
  assert.equal(error.code, "UNREACHABLE");
  assert.match(error.message, /broke the connection off \(6 attempts\)$/);
  assert.equal(one.registry.requests.length, 6);
  assert.deepEqual(
    client.told("retrying").map(({ attempt }) => attempt),
    [1, 2, 3, 4, 5],
  );
});

test("R-55: a body that falls silent is given up and goes on with another connection", async () => {
  await using one = await oneImage();
  one.registry.next(/blobs/, hangAfter(30_000));
  await using client = puller({ deadlines: { stallMilliseconds: 100 } });
  assert.deepEqual(await blob(client.image(one.name), one.layer), one.content);
  assert.match(client.told("retrying")[0]?.reason ?? "", /sent nothing for 0\.1 s/);
});

test("R-55: a slow body is not a silent one", async (context) => {
  await using one = await oneImage();
  const clock = heldTimers(context, 1_500);
  await using client = puller({ deadlines: { stallMilliseconds: 1_500 } });
  const received: Uint8Array[] = [];
  const count = () => received.reduce((sum, { length }) => sum + length, 0);
  let sent = 0;
  const aSecondLater = async () => {
    sent = Math.min(sent + 30_000, one.layer.size);
    await eventually(
      () => count() === sent,
      () => `${count()} of ${sent} bytes have come`,
    );
    clock.move(1_000);
  };
  one.registry.next(/blobs/, inSteps(30_000, aSecondLater)); // 4 s in all
  for await (const chunk of client.image(one.name).blob(described(one.layer))) received.push(chunk);
  assert.deepEqual(Buffer.concat(received), one.content);
  assert.equal(one.registry.requests.length, 1);
});

test("R-55: a body that drips, so that it is never silent, is given up in the end", { timeout: 120_000 }, async () => {
  await using one = await oneImage();
  one.registry.always(/blobs/, drip(1, 10));
  await using client = puller({ retries: 2, deadlines: { stallMilliseconds: 60_000, progressMilliseconds: 100 } });
  const error = await failure(blob(client.image(one.name), one.layer));
  assert.equal(error.code, "TIMEOUT");
  assert.match(error.message, /sent only \d+ bytes in 0\.1 s \(3 attempts\)$/);
});

test("R-54: a body that drips and breaks off again and again is given up as well", { timeout: 120_000 }, async () => {
  await using one = await oneImage();
  const beginning = (reply: Reply): Reply => ({ ...reply, body: reply.body.subarray(0, 10) });
  one.registry.always(/blobs/, (reply, request) => drip(1, 10)(beginning(reply), request));
  const deadlines = { stallMilliseconds: 300, progressMilliseconds: 250 };
  await using client = puller({ retries: 2, deadlines });
  const error = await failure(blob(client.image(one.name), one.layer));
  assert.match(error.message, /\(3 attempts\)$/);
});

test("R-55: so is what a registry says of an error", { timeout: 120_000 }, async () => {
  await using one = await oneImage();
  one.registry.always(/blobs/, (reply, request) =>
    drip(1, 10)({ ...reply, status: 404, body: Buffer.alloc(60_000, "x") }, request),
  );
  await using client = puller({ deadlines: { stallMilliseconds: 60_000, progressMilliseconds: 100 } });
  assert.equal((await failure(blob(client.image(one.name), one.layer))).code, "NOT_FOUND");
});

test("R-55: whoever reads so slowly that little comes for long is not cut off", async ({ mock }) => {
  await using one = await oneImage({}, 8 * MiB);
  await using client = puller({ deadlines: { progressMilliseconds: 500 } });
  let now = 0;
  mock.method(performance, "now", () => now); // time passes for the reader alone
  let size = 0;
  for await (const chunk of client.image(one.name).blob(described(one.layer), { lends: true })) {
    if (size < 64 * 1024) now += 600;
    size += chunk.length;
  }
  assert.equal(size, one.layer.size);
  assert.equal(one.registry.requests.length, 1);
});

test("R-55: whoever reads slowly is not cut off", async (context) => {
  await using one = await oneImage({}, 8 * MiB);
  const clock = heldTimers(context, 1_000);
  await using client = puller({ deadlines: { stallMilliseconds: 1_000 } });
  let size = 0;
  for await (const chunk of client.image(one.name).blob(described(one.layer), { lends: true })) {
    if (size === 0) clock.move(2_000);
    size += chunk.length;
  }
  assert.equal(size, one.layer.size);
  assert.equal(one.registry.requests.length, 1);
});

test("R-55: a server that never answers is given up", async () => {
  await using one = await oneImage();
  one.registry.always(/manifests/, hangAfter(-1));
  await using client = puller({ retries: 1, deadlines: { responseMilliseconds: 50 } });
  const error = await failure(client.image(one.name).manifest());
  assert.equal(error.code, "TIMEOUT");
  assert.match(error.message, /did not answer within 0\.05 s \(2 attempts\)$/);
});

test("R-55: a manifest that drips for ever is given up", async () => {
  await using one = await oneImage();
  one.registry.always(/manifests/, drip(1, 10));
  await using client = puller({ retries: 0, deadlines: { documentMilliseconds: 150 } });
  assert.equal((await failure(client.image(one.name).manifest())).code, "TIMEOUT");
});

test("R-57: what is plainly temporary is tried again, and what is final is not", async () => {
  for (const status of [408, 425, 429, 499, 500, 502, 503, 504, 520, 524, 529]) {
    await using one = await oneImage();
    one.registry.next(/manifests/, answer(status));
    await using client = puller();
    await client.image(one.name).manifest();
  }
  for (const status of [400, 403, 404, 405, 410, 418, 501]) {
    await using one = await oneImage();
    one.registry.next(/manifests/, answer(status));
    await using client = puller();
    await failure(client.image(one.name).manifest());
    assert.equal(one.registry.requests.length, 1, String(status));
  }
});

test("R-60: an empty blob and the empty JSON object are known without asking", async () => {
  await using registry = await startRegistry();
  await using client = puller();
  const image = client.image(`${registry.host}/a/b`);
  assert.deepEqual(await blob(image, registry.addBlob("")), Buffer.alloc(0));
  assert.deepEqual(await blob(image, registry.addBlob("{}")), Buffer.from("{}"));
  assert.equal(registry.requests.length, 0);
});

test("R-64: an abort ends a download at once with its own reason and closes the connection", async () => {
  await using one = await oneImage();
  one.registry.always(/blobs/, hangAfter(30_000));
  await using client = puller({ deadlines: { stallMilliseconds: 60_000 } });
  const abort = new AbortController();
  const reason = new Error("enough");
  const reading = blob(client.image(one.name), one.layer, abort.signal);
  setTimeout(() => abort.abort(reason), 50);
  await assert.rejects(reading, (error) => error === reason);
  await closed(one.registry);
});

test("R-64: an abort ends waiting of every kind: for an answer, for a token, between attempts", async () => {
  for (const [path, fault] of [
    [/manifests/, hangAfter(-1)],
    [/manifests/, answer(503, { "retry-after": "60" })],
    [/token/, hangAfter(-1)],
    [/token/, hangAfter(3)],
    [/manifests/, hangAfter(10)],
  ] as const) {
    await using one = await oneImage({ access: { type: "token" } });
    one.registry.always(path, fault);
    await using client = puller({ deadlines: { responseMilliseconds: 60_000, stallMilliseconds: 60_000 } });
    const reason = new Error("enough");
    const abort = new AbortController();
    setTimeout(() => abort.abort(reason), 40);
    await assert.rejects(
      client.image(one.name).manifest(undefined, { signal: abort.signal }),
      (error) => error === reason,
    );
    await assert.rejects(
      client.image(one.name).manifest(undefined, { signal: abort.signal }),
      (error) => error === reason,
    );
  }
});

test("R-64: however many downloads share a signal, it gets one listener, and keeps none", async () => {
  await using one = await oneImage();
  await using client = puller();
  const { signal } = new AbortController();
  const listeners = () => getEventListeners(signal, "abort").length;
  const seen = new Set<number>();
  const reading = async () => {
    for await (const _ of client.image(one.name).blob(described(one.layer), { signal })) seen.add(listeners());
  };
  await Promise.all(Array.from({ length: 40 }, reading));
  await eventually(
    () => listeners() === 0,
    () => `${listeners()} listeners are left`,
  );
  assert.deepEqual([...seen], [1]);
});

test("R-64: ending the iteration early closes the connection", async () => {
  await using one = await oneImage({}, 8 * MiB);
  await using client = puller();
  for (const lends of [false, true]) {
    for await (const _ of client.image(one.name).blob(described(one.layer), { lends })) break;
    await closed(one.registry);
  }
});

test("R-64: disposing of the source closes its connections and ends what is under way", async () => {
  await using one = await oneImage();
  one.registry.always(/blobs/, hangAfter(10));
  const client = puller({ retries: 0 });
  const reading = failure(blob(client.image(one.name), one.layer));
  while (one.registry.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await client.source[Symbol.asyncDispose]();
  await reading;
  await closed(one.registry);
  assert.match((await failure(client.image(one.name).manifest())).message, /the registry client is closed/);
});

test("connections are used again", async () => {
  await using one = await oneImage();
  await using client = puller();
  const image = client.image(one.name);
  await image.manifest();
  for (let count = 0; count < 5; count++) await blob(image, one.layer);
  assert.deepEqual(new Set(one.registry.requests.map(({ connection }) => connection)), new Set([1]));
});

test("a kept connection that the server has closed is no failure", async () => {
  await using one = await oneImage();
  await using client = puller({ retries: 0 });
  const image = client.image(one.name);
  await image.manifest();
  one.registry.next(/manifests/, closeAfter(-1)); // as if it had timed out just now
  await image.manifest();
  assert.equal(client.told("retrying").length, 0);
});

test("an answer with endless headers is refused", async () => {
  await using one = await oneImage();
  one.registry.always(/manifests/, stating({ "x-noise": "x".repeat(100_000) }));
  await using client = puller();
  const error = await failure(client.image(one.name).manifest());
  assert.equal(error.code, "REGISTRY_ERROR");
  assert.match(error.message, /headers of 127\.0\.0\.1:\d+'s answer are too long$/);
});

test("a registry that is not there is unreachable, at once", async () => {
  const one = await oneImage();
  await one.registry[Symbol.asyncDispose]();
  await using client = puller();
  const error = await failure(client.image(one.name).manifest());
  assert.equal(error.code, "UNREACHABLE");
  assert.match(
    error.message,
    /^cannot fetch 127\.0\.0\.1:\d+\/a\/b:latest: cannot reach 127\.0\.0\.1:\d+: it refuses connections$/,
  );
});

async function closed(registry: { readonly openConnections: number }): Promise<void> {
  await eventually(
    () => registry.openConnections === 0,
    () => "connections stay open",
  );
}
