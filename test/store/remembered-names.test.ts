import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { type ImageInspection, registrySource, storedNameFor, storedSource, unpack } from "../../src/index.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { BlobStore } from "../../src/store/blob-store.ts";
import { rememberName } from "../../src/store/stored-index.ts";
import { type Image, image, imageIndex, stored } from "../support/image.ts";
import { inspectImage } from "../support/inspect-image.ts";
import { answer } from "../support/registry-reply.ts";
import { file, tar } from "../support/tar-builder.ts";
import { type Stage, setStage } from "./stage.ts";

const platform = "linux/amd64";
const before = image([tar(file("before", "1"))]);
const after = image([tar(file("after", "1"))]);
const layerOf = ({ layers }: Image) => layers[0]?.descriptor.digest ?? "";

/** Asks for the documents of an image alone, by way of the stage's store. */
async function inspected(stage: Stage, isOffline: boolean, name = stage.reference): Promise<ImageInspection> {
  await using source = storedSource(registrySource({ retries: 0 }), stage.store, { offline: isOffline });
  return await inspectImage(name, { source, platform });
}

/** The names in a file of the store, in its order. */
async function namesIn(stage: Stage, file: "index.json" | "names.json"): Promise<readonly unknown[]> {
  const path = join(stage.store.directory, file);
  if (!existsSync(path)) return [];
  const { manifests } = JSON.parse(await readFile(path, "utf8"));
  return manifests.map((each: { readonly annotations: object }) => Object.values(each.annotations)[0]);
}

function fileOf(stage: Stage, digest: string): string {
  return join(stage.store.directory, "blobs", digest.replace(":", "/"));
}

test("what was inspected once is inspected offline, though no layer of it is there", async () => {
  await using stage = await setStage(before);
  const { digest, layers } = await inspected(stage, false);
  stage.registry.always(/./, answer(500));
  const offline = await inspected(stage, true);
  assert.deepEqual([offline.digest, offline.layers], [digest, layers]);
  assert.equal(existsSync(fileOf(stage, layerOf(before))), false);
});

test("what needs a layer that is not there says so offline, and names the layer", async () => {
  await using stage = await setStage(before);
  await inspected(stage, false);
  await assert.rejects(stage.unpack({ offline: true }), {
    code: "NOT_FOUND",
    message: new RegExp(`^cannot read blob ${layerOf(before)} of "${stage.reference}" offline`),
    hint: "do the same once without `offline`",
  });
});

test("other tools see a name once all of its image is there, and then it is remembered nowhere else", async () => {
  await using stage = await setStage(before);
  await inspected(stage, false);
  assert.deepEqual([await namesIn(stage, "index.json"), await namesIn(stage, "names.json")], [[], [stage.reference]]);
  await stage.unpack();
  assert.deepEqual([await namesIn(stage, "index.json"), await namesIn(stage, "names.json")], [[stage.reference], []]);
});

test("an image whose configuration is in its manifest is remembered too", async () => {
  const config = { ...before.config.descriptor, data: Buffer.from(before.config.bytes).toString("base64") };
  await using stage = await setStage(image([tar(file("before", "1"))], { manifest: { config } }));
  await inspected(stage, false);
  assert.deepEqual((await inspected(stage, true)).config.platform, { os: "linux", architecture: "amd64" });
});

test("an index is remembered with the first image of it that was looked at", async () => {
  await using stage = await setStage(before);
  const index = imageIndex([before, image([tar()], { platform: { os: "linux", architecture: "arm64" } })]);
  stage.registry.addManifest("some/image", "latest", index.bytes, index.descriptor.mediaType);
  await inspected(stage, false);
  assert.equal((await inspected(stage, true)).indexDigest, index.descriptor.digest);
});

test("a tag that moved is offline what it was last seen as, and the way to what it was is named", async () => {
  await using stage = await setStage(before);
  await stage.unpack();
  stored(stage.registry, "some/image", after);
  await inspected(stage, false);
  assert.equal((await inspected(stage, true)).digest, after.manifest.descriptor.digest);
  const name = `${stage.reference.replace(/:latest$/, "")}@${before.manifest.descriptor.digest}`;
  await assert.rejects(stage.unpack({ offline: true }), {
    code: "NOT_FOUND",
    message: new RegExp(layerOf(after)),
    hint: `do the same once without \`offline\`, or name what it was before, which is there: ${name}`,
  });
  assert.deepEqual(Object.keys((await stage.unpack({ offline: true, reference: name })).tree), [".", "before"]);
  assert.deepEqual(await namesIn(stage, "index.json"), [stage.reference]);
});

test("a tag that moved back is offline what it was last seen as", async () => {
  await using stage = await setStage(before);
  await stage.unpack();
  stored(stage.registry, "some/image", after);
  await inspected(stage, false);
  stored(stage.registry, "some/image", before);
  await inspected(stage, false);
  assert.deepEqual(Object.keys((await stage.unpack({ offline: true })).tree), [".", "before"]);
  assert.deepEqual(await namesIn(stage, "names.json"), []);
});

test("a list shows what is remembered with the size of what is there", async () => {
  await using stage = await setStage(before);
  await inspected(stage, false);
  const [{ name, digest, sizeBytes } = assert.fail(), ...others] = await stage.store.list();
  assert.deepEqual(
    [name, digest, sizeBytes, others],
    [stage.reference, before.manifest.descriptor.digest, sizeOfDocuments(before), []],
  );
});

test("no layer of what is remembered counts as missing", async () => {
  await using stage = await setStage(before);
  await inspected(stage, false);
  const { blobs, corrupt, missing } = await stage.store.verify();
  assert.deepEqual([blobs, corrupt, missing], [2, [], []]);
});

test("a prune keeps the documents of what is remembered", async () => {
  await using stage = await setStage(before);
  await inspected(stage, false);
  const { removedImages, freedBytes } = await stage.store.prune();
  assert.deepEqual([removedImages, freedBytes], [[], 0]);
  await inspected(stage, true);
});

test("a prune to a size forgets what was remembered, and used longest ago", async () => {
  await using stage = await setStage(before);
  const other = stored(stage.registry, "other/image", after);
  await inspected(stage, false);
  await inspected(stage, false, other);
  const longAgo = new Date(0);
  await utimes(fileOf(stage, before.manifest.descriptor.digest), longAgo, longAgo);
  const { removedImages } = await stage.store.prune({ maxBytes: sizeOfDocuments(after) });
  assert.deepEqual(removedImages, [stage.reference]);
  assert.deepEqual(await namesIn(stage, "names.json"), [other]);
  await inspected(stage, true, other);
});

test("what was unpacked elsewhere finds its name in a store that has only the documents", async () => {
  await using stage = await setStage(before);
  const target = join(stage.directory, "elsewhere");
  await unpack(stage.reference, target, { source: registrySource(), platform });
  await inspected(stage, false);
  assert.equal(await storedNameFor(target, stage.store), stage.reference);
});

test("names that are remembered at the same time are all remembered", async () => {
  await using stage = await setStage(before);
  await inspected(stage, false);
  const store = new BlobStore(stage.store.directory);
  const { descriptor } = before.manifest;
  const described = {
    mediaType: descriptor.mediaType,
    digest: descriptor.digest as Digest,
    sizeBytes: descriptor.size,
  };
  const names = Array.from({ length: 10 }, (_, number) => `example.com/image:${number}`);
  await Promise.all(names.map((name) => rememberName(store, name, described)));
  assert.deepEqual([...(await namesIn(stage, "names.json"))].sort(), [stage.reference, ...names].sort());
});

test("names that are remembered wrongly are one clear error, with the way on", async () => {
  await using stage = await setStage(before);
  await inspected(stage, false);
  const path = join(stage.store.directory, "names.json");
  await writeFile(path, "no JSON");
  const expected = { code: "INVALID_MANIFEST", hint: "remove that file: it says only which images are there in part" };
  await assert.rejects(inspected(stage, true), expected);
  await rm(path);
  await inspected(stage, false);
  await inspected(stage, true);
});

function sizeOfDocuments({ manifest, config }: Image): number {
  return manifest.descriptor.size + config.descriptor.size;
}
