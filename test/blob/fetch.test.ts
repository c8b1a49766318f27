import assert from "node:assert/strict";
import { test } from "node:test";
import { LayerFetch } from "../../src/blob/fetch.ts";
import type { ImageSource } from "../../src/blob/image-source.ts";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import { scratch } from "../support/scratch.ts";
import { openFilesIn } from "./open-files.ts";

/** How many blobs of an image are asked for at a time, three of which may be. */
async function mostAtATime(parallelBlobs?: number): Promise<number> {
  await using place = await scratch();
  const blobs = Array.from({ length: 7 }, (_, n) => Buffer.from(`blob ${n}`));
  const layers = blobs.map((bytes) => ({ mediaType: "", digest: digestOf(bytes), sizeBytes: bytes.length }));
  let running = 0;
  let most = 0;
  const source: ImageSource = {
    name: "some/image",
    ...(parallelBlobs !== undefined && { parallelBlobs }),
    manifest: () => assert.fail("only blobs are asked for"),
    async *blob({ digest }) {
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      yield blobs.find((bytes) => digestOf(bytes) === digest) ?? assert.fail(digest);
      running -= 1;
    },
  };
  const waiting = place.directory;
  await using fetch = new LayerFetch(source, layers, { parallelDownloads: 3, waiting, onProgress: () => {} });
  await fetch.run(new AbortController().signal);
  assert.equal(running, 0);
  return most;
}

test("no more blobs are downloaded at a time than parallelDownloads", async () => {
  assert.equal(await mostAtATime(), 3);
});

test("no more are asked for at a time than the image's source has use for", async () => {
  assert.equal(await mostAtATime(1), 1);
  assert.equal(await mostAtATime(100), 3);
  assert.equal(await mostAtATime(0), 1, "or else nobody would fetch any, and the call wait for ever");
});

test("what all blobs keep in memory together has a limit, and so have the files that they wait in", async () => {
  await using place = await scratch();
  const MiB = 1024 * 1024;
  const blobs = Array.from({ length: 30 }, (_, n) => Buffer.alloc(5 * MiB, n + 1));
  const layers = blobs.map((bytes) => ({ mediaType: "", digest: digestOf(bytes), sizeBytes: bytes.length }));
  const source: Pick<ImageSource, "name" | "blob" | "manifest"> = {
    name: "some/image",
    manifest: () => assert.fail("only blobs are asked for"),
    async *blob({ digest }) {
      const bytes = blobs[layers.findIndex((layer) => layer.digest === digest)] ?? assert.fail(digest);
      for (let start = 0; start < bytes.length; start += MiB / 8) yield bytes.subarray(start, start + MiB / 8);
    },
  };
  const waiting = place.directory;
  await using fetch = new LayerFetch(source, layers, { parallelDownloads: 8, waiting, onProgress: () => {} });

  await fetch.run(new AbortController().signal);

  const [size = 0, ...others] = await openFilesIn(waiting);
  assert.deepEqual(others, []);
  assert.ok(size >= (30 * 5 - 8) * MiB, `${size} bytes in the file`);
  for (const [layer, bytes] of blobs.entries()) {
    const pieces: Uint8Array[] = [];
    for await (const piece of fetch.layer(layer)) pieces.push(piece);
    assert.ok(Buffer.concat(pieces).equals(bytes));
  }
});

test("blobs whose digests are told by who reads them arrive meanwhile, and a wrong one is an error for that one, too", async () => {
  await using place = await scratch();
  const blobs = Array.from({ length: 7 }, (_, n) => Buffer.from(`blob ${n}`));
  const layers = blobs.map((bytes) => ({ mediaType: "", digest: digestOf(bytes), sizeBytes: bytes.length }));
  let arrived = 0;
  const source: ImageSource = {
    name: "some/image",
    manifest: () => assert.fail("only blobs are asked for"),
    async *blob({ digest }) {
      yield blobs[layers.findIndex((layer) => layer.digest === digest)] ?? assert.fail(digest);
      arrived += 1;
    },
  };
  const answers: ((digest: Digest) => void)[] = [];
  const told: number[] = [];
  await using fetch = new LayerFetch(source, layers, {
    parallelDownloads: 2,
    waiting: place.directory,
    digestedBehind(layer) {
      const digest = new Promise<Digest>((resolve) => {
        answers[layer] = resolve;
      });
      return { update() {}, digest: () => digest };
    },
    onEvent: (event) => event.type === "downloaded" && told.push(event.layer),
    onProgress: () => {},
  });
  const running = fetch.run(new AbortController().signal);
  running.catch(() => {});
  while (arrived < blobs.length) await new Promise(setImmediate);
  assert.deepEqual(told, []);
  for (const [layer, bytes] of blobs.entries()) {
    const isWrong = layer === 5;
    const reading = fetch.layer(layer)[Symbol.asyncIterator]();
    assert.deepEqual((await reading.next()).value, bytes);
    const proven = fetch.proven(layer);
    const end = reading.next();
    answers[layer]?.(isWrong ? digestOf(Buffer.from("another")) : digestOf(bytes));
    if (isWrong) {
      const error = { code: "DIGEST_MISMATCH", details: { digest: digestOf(bytes) } };
      for (const refused of [end, proven, running]) await assert.rejects(refused, error);
      break;
    }
    assert.equal((await end).done, true);
    await proven;
  }
  assert.deepEqual(told, [0, 1, 2, 3, 4]);
});

test("a blob that may come from elsewhere if it is wrong is digested before anybody reads it", async () => {
  await using place = await scratch();
  const bytes = Buffer.from("blob");
  const layer = { mediaType: "", digest: digestOf(bytes), sizeBytes: bytes.length };
  let tries = 0;
  const source: ImageSource = {
    name: "some/image",
    manifest: () => assert.fail("only blobs are asked for"),
    async *blob() {
      tries += 1;
      yield tries === 1 ? bytes.map((byte) => byte ^ 1) : bytes;
    },
    alternatives: () => 1 - tries,
  };
  await using fetch = new LayerFetch(source, [layer], {
    parallelDownloads: 1,
    waiting: place.directory,
    digestedBehind: () => assert.fail("nobody behind is asked"),
    onProgress: () => {},
  });
  await fetch.run(new AbortController().signal);
  for await (const piece of fetch.layer(0)) assert.deepEqual(Buffer.from(piece), bytes);
});
