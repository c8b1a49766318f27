import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { verified } from "../../src/blob/verified.ts";
import { isOciUnpackError } from "../../src/errors.ts";
import { digestOf } from "../../src/oci/digest.ts";
import type { ImageSource } from "../../src/source/source.ts";
import { described, type RegistryDouble, type StoredDescriptor, startRegistry } from "../support/registry-double.ts";
import {
  answer,
  closeAfter,
  drip,
  type Fault,
  hangAfter,
  ociErrors,
  type RecordedRequest,
  type Reply,
  resetAfter,
  stating,
  withBody,
} from "../support/registry-reply.ts";
import { distinctBytes, puller } from "./pulling.ts";

const pulls = 200;
const pullsAtOnce = 8;
const seed = process.env.OCI_UNPACK_STORM_SEED ?? "1";
const user = { username: "alice", password: "planted-password" };
const signature = "planted-signature";

/** Numbers between 0 and 1 that depend on nothing but the seed and these words. */
function lot(...words: readonly (string | number)[]): () => number {
  let count = 0;
  return () => {
    const hash = createHash("sha256")
      .update([seed, ...words, count++].join(" "))
      .digest();
    return hash.readUInt32BE() / 2 ** 32;
  };
}

/** Everything that may go wrong with one reply. `at` is a place in its body. */
const faults: readonly ((at: number, request: RecordedRequest) => Fault)[] = [
  (at) => resetAfter(at),
  () => resetAfter(-1),
  (at) => closeAfter(at),
  () => closeAfter(-1),
  (at) => hangAfter(at),
  () => hangAfter(-1),
  () => drip(4_000, 5),
  (at) => withBody((body) => body.subarray(0, at)),
  () => withBody((body) => Buffer.concat([body, body])),
  (at) => withBody((body) => Buffer.from(body).fill(0, at)),
  (at) => stating({ "content-length": at }),
  () => stating({ "content-length": undefined }),
  () => stating({ "content-range": "bytes 1-2/3" }),
  () => stating({ "content-range": undefined }),
  () => stating({ etag: '"another"' }),
  () => stating({ "content-encoding": "gzip" }),
  () => stating({ "x-noise": "n".repeat(100_000) }),
  () => withBody(() => Buffer.alloc(6_000_000, "{")),
  () => withBody(() => Buffer.from('{"token":')),
  () => answer(429, { "retry-after": "0" }),
  () => answer(503, { "retry-after": new Date().toUTCString() }),
  () => answer(429, { "retry-after": "86400" }),
  () => answer(500),
  () => answer(401),
  () => answer(403),
  () => answer(404, {}, "<html>"),
  () => answer(200, { "content-type": "text/html" }, "<html>"),
  () => answer(307, { location: "/v2/" }),
  () => answer(302, { location: `ftp://x/?${signature}` }),
  // A registry that repeats what it was sent.
  (_, { headers }) => answer(400, {}, ociErrors("DENIED", repeated(headers.authorization))),
  (_, { path }) => answer(502, { "content-type": "text/plain" }, path),
];

function repeated(authorization = ""): string {
  return `${authorization} ${Buffer.from(authorization.replace("Basic ", ""), "base64")}`;
}

/** Breaks about one reply in five, each request of each pull in its own way however they interleave. */
function weather(): Fault {
  const seen = new Map<string, number>();
  return (reply: Reply, request: RecordedRequest) => {
    const place = request.path.replace(/\?.*/, "");
    const time = (seen.get(place) ?? 0) + 1;
    seen.set(place, time);
    const draw = lot(place, time);
    if (draw() > 0.2) return reply;
    const fault = faults[Math.floor(draw() * faults.length)];
    const at = Math.floor(draw() * reply.body.length);
    return fault === undefined ? reply : fault(at, request)(reply, request);
  };
}

interface Stored {
  readonly manifest: StoredDescriptor;
  readonly blobs: readonly StoredDescriptor[];
}

function store(registry: RegistryDouble, repository: string): Stored {
  const blobs = [0, 1, 2, 3, 4].map((layer) => registry.addBlob(distinctBytes(20_000 + layer * 7_000, layer + 1)));
  const [config = registry.addBlob("config")] = blobs;
  return { manifest: registry.addManifest(repository, "latest", { schemaVersion: 2, config, layers: blobs }), blobs };
}

/** As an unpacking does it: the manifest, then all blobs at once, each verified. */
async function pulled(image: ImageSource, { manifest, blobs }: Stored): Promise<void> {
  const { bytes } = await image.manifest();
  // A tag promises no digest; what is garbage here is refused by whoever reads it.
  if (digestOf(bytes) !== manifest.digest) return;
  const reading = blobs.map(async (blob) => {
    let size = 0;
    for await (const chunk of verified(described(blob), image.blob(described(blob)))) size += chunk.length;
    assert.equal(size, blob.size);
  });
  await Promise.all(reading).finally(() => Promise.allSettled(reading));
}

test(`security 14: ${pulls} pulls through every kind of fault end in the right bytes or in one error of ours (seed ${seed})`, async () => {
  const descriptors = readdirSync("/proc/self/fd").length;
  const told: string[] = [];
  const outcomes = { right: 0, wrong: [] as unknown[], errors: new Map<string, number>() };
  {
    await using cdn = await startRegistry({ address: "127.0.0.2" });
    await using registry = await startRegistry({
      access: { type: "token", ...user },
      redirectBlobs: (digest, { path }) => `${cdn.url}/cdn/${digest}?from=${path}&signature=${signature}`,
      content: cdn.content,
    });
    const planted = () => [
      user.password,
      signature,
      Buffer.from(`alice:${user.password}`).toString("base64"),
      ...registry.tokens,
    ];
    registry.always(/./, weather());
    cdn.always(/./, weather());
    const numbers = Array.from({ length: pulls }, (_, number) => number);
    const lane = async () => {
      for (let number = numbers.shift(); number !== undefined; number = numbers.shift()) {
        const stored = store(registry, `storm/${number}`);
        const deadlines = { stallMilliseconds: 60, responseMilliseconds: 60, documentMilliseconds: 1_000 };
        await using client = puller({ credentials: user, deadlines });
        try {
          await pulled(client.image(`${registry.host}/storm/${number}`), stored);
          outcomes.right++;
        } catch (error) {
          if (!isOciUnpackError(error)) outcomes.wrong.push(error);
          else {
            outcomes.errors.set(error.code, (outcomes.errors.get(error.code) ?? 0) + 1);
            told.push(`${error.message} ${error.hint} ${error.stack} ${String(error.cause)}`);
          }
        }
        told.push(JSON.stringify(client.events));
      }
    };
    await Promise.all(Array.from({ length: pullsAtOnce }, lane));
    const everything = told.join("\n");
    assert.deepEqual(
      planted().filter((secret) => everything.includes(secret)),
      [],
      "no secret is told",
    );
    assert.ok(registry.tokens.length > 100);
  }
  assert.deepEqual(outcomes.wrong, []);
  assert.ok(outcomes.right > pulls / 8, `${outcomes.right} went well`);
  assert.ok(outcomes.errors.size > 3, `errors: ${JSON.stringify([...outcomes.errors])}`);
  await settled(descriptors);
});

/** Sockets close a moment after they are told to. */
async function settled(descriptors: number): Promise<void> {
  for (let waited = 0; readdirSync("/proc/self/fd").length > descriptors; waited++) {
    assert.ok(
      waited < 200,
      `${readdirSync("/proc/self/fd").length} descriptors are open, and there were ${descriptors}`,
    );
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
