import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { open, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { registrySource, store, storedSource, unpack } from "../../src/index.ts";
import { tryLock } from "../../src/linux/lock.ts";
import { eventually } from "../support/eventually.ts";
import { image } from "../support/image.ts";
import { drip, hangAfter } from "../support/registry-reply.ts";
import { file, tar } from "../support/tar-builder.ts";
import { readTree } from "../support/tree.ts";
import { type Stage, setStage } from "./stage.ts";

const large = image([tar(file("large", randomBytes(400_000)))], { encoding: "plain" });
const [blob] = large.layers;
const size = blob?.descriptor.size ?? 0;
const blobPath = new RegExp(`/blobs/${blob?.descriptor.digest}`);

function partOf(stage: Stage): string {
  return join(stage.store.directory, "ingest", `${blob?.descriptor.digest.replace(":", "-")}.part`);
}

function askedForBlob(stage: Stage): readonly (string | undefined)[] {
  return stage.registry.requests.filter(({ path }) => blobPath.test(path)).map(({ headers }) => headers.range);
}

test("of two processes that want a blob at once, one downloads it", async () => {
  await using stage = await setStage(large);
  stage.registry.next(blobPath, drip(40_000, 20));
  const both = [await stage.start(), await stage.start()];
  const downloaded = await Promise.all(both.map(({ ended }) => ended));
  assert.deepEqual(downloaded.sort(), ["0", String(size)]);
  assert.equal(askedForBlob(stage).length, 1);
  const [one, other] = both.map(({ target }) => readTree(join(target, "rootfs")));
  assert.deepEqual(one, other);
});

test("a process that is killed at any byte leaves a beginning, with which the next one goes on", async () => {
  await using stage = await setStage(large);
  const points = [1, 1 + Math.floor(Math.random() * size), size - 1].toSorted((one, other) => one - other);
  let before = 0;
  for (const point of points) {
    stage.registry.next(blobPath, hangAfter(point - before));
    const { child, ended } = await stage.start();
    await until(async () => (await sizeOf(partOf(stage))) === point);
    child.kill("SIGKILL");
    assert.equal(await ended, "killed");
    before = point;
  }
  const { result, tree } = await stage.unpack();
  assert.deepEqual(askedForBlob(stage), [undefined, ...points.map((point) => `bytes=${point}-`)]);
  assert.equal(result.downloadedBytes, 1);
  assert.equal(tree.large?.size, 400_000);
});

test("a beginning that was damaged is thrown away, and the blob fetched once more", async () => {
  await using stage = await setStage(large);
  stage.registry.next(blobPath, hangAfter(1000));
  const { child, ended } = await stage.start();
  await until(async () => (await sizeOf(partOf(stage))) === 1000);
  child.kill("SIGKILL");
  await ended;
  await truncate(partOf(stage), 500);
  await truncate(partOf(stage), 2000); // zeros, as a crash of the machine may leave them
  const { result } = await stage.unpack();
  assert.deepEqual(askedForBlob(stage), [undefined, "bytes=2000-", undefined]);
  assert.equal(result.downloadedBytes, size);
});

test("waiting for another process ends with an abort, and holds up nothing else in this one", async () => {
  await using stage = await setStage(large);
  await (await stage.start()).ended;
  const lock = await open(join(stage.store.directory, "in-use.lock"));
  assert.ok(tryLock(lock.fd, "exclusive"));
  const controller = new AbortController();
  const source = storedSource(registrySource(), store(stage.store.directory));
  const waiting = unpack(stage.reference, join(stage.directory, "t"), { source, signal: controller.signal });
  await sleep(30);
  const reason = new Error("enough");
  controller.abort(reason);
  await assert.rejects(waiting, (error) => error === reason);
  await lock.close();
  await source[Symbol.asyncDispose]();
});

test("nothing is pruned while somebody unpacks", async () => {
  await using stage = await setStage(large);
  stage.registry.next(blobPath, drip(40_000, 20));
  const { ended } = await stage.start();
  await until(async () => (await sizeOf(partOf(stage))) > 0);
  const pruned = await stage.store.prune({ maxBytes: 10_000_000 });
  await ended;
  assert.deepEqual(pruned.removedImages, []);
  assert.equal((await stage.store.verify()).missing.length, 0);
  assert.deepEqual(new Set((await stage.store.list()).map(({ kind }) => kind)), new Set(["image", "index"]));
});

async function sizeOf(path: string): Promise<number> {
  return await stat(path).then(
    (found) => found.size,
    () => 0,
  );
}

function until(isSo: () => Promise<boolean>): Promise<void> {
  return eventually(isSo, () => "it never came to be");
}
