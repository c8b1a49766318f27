import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { registrySource, type Store, store, storedSource, unpack } from "../../src/index.ts";
import { localSource } from "../../src/source/local/local-source.ts";
import { BlobStore } from "../../src/store/blob-store.ts";
import { readNames } from "../../src/store/stored-index.ts";
import { output } from "../support/command.ts";
import { type Image, image, imageIndex, stored } from "../support/image.ts";
import { answer, withBody } from "../support/registry-reply.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { skipUnlessMounting, skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { readTree } from "../support/tree.ts";
import { setStage } from "./stage.ts";

const sample = image(sampleLayers());
const top = sample.layers.at(-1)?.descriptor.digest ?? "";

function fileOf(storeDirectory: string, digest: string): string {
  return join(storeDirectory, "blobs", digest.replace(":", "/"));
}

test("what was unpacked once is not downloaded again: only the tag is asked for", async () => {
  await using stage = await setStage(sample);
  const first = await stage.unpack();
  assert.equal(first.result.downloadedBytes, sizeOfLayers(sample));
  stage.asked();
  const second = await stage.unpack();
  assert.deepEqual(stage.asked(), ["manifests/latest"]);
  assert.equal(second.result.downloadedBytes, 0);
  assert.deepEqual(second.tree, first.tree);
});

test("a name with a digest is not asked for at all", async () => {
  await using stage = await setStage(sample);
  const reference = `${stage.reference.replace(/:latest$/, "")}@${sample.manifest.descriptor.digest}`;
  await stage.unpack({ reference });
  stage.asked();
  await stage.unpack({ reference });
  assert.deepEqual(stage.asked(), []);
});

test("an image that shares layers with another downloads the others only", async () => {
  await using stage = await setStage(sample);
  await stage.unpack();
  const derived = image([...sampleLayers(), tar(file("new", "in a layer of its own"))]);
  const reference = stored(stage.registry, "some/image", derived).replace(
    /latest$/,
    derived.manifest.descriptor.digest,
  );
  stage.asked();
  const { result } = await stage.unpack({ reference: reference.replace(/:sha256/, "@sha256") });
  assert.equal(result.downloadedBytes, derived.layers.at(-1)?.descriptor.size);
  assert.deepEqual(
    stage
      .asked()
      .filter((path) => path.startsWith("blobs/"))
      .sort(),
    [`blobs/${derived.config.descriptor.digest}`, `blobs/${derived.layers.at(-1)?.descriptor.digest}`].sort(),
  );
});

test("offline an image comes out of the store alone, by tag and by digest", async () => {
  await using stage = await setStage(sample);
  const { tree } = await stage.unpack();
  stage.asked();
  stage.registry.always(/./, answer(500));
  const offline = await stage.unpack({ offline: true });
  assert.deepEqual(offline.tree, tree);
  assert.deepEqual(stage.asked(), []);
});

test("offline, what was never unpacked is told from what there is", async () => {
  await using stage = await setStage(sample);
  await stage.unpack();
  await assert.rejects(stage.unpack({ offline: true, reference: `${stage.registry.host}/other:1` }), {
    code: "NOT_FOUND",
    message: `cannot find "${stage.registry.host}/other:1" in the store "${stage.store.directory}"`,
    hint: `unpack it once without \`offline\`, or choose one of ${stage.reference}`,
  });
  await rm(fileOf(stage.store.directory, top));
  await assert.rejects(stage.unpack({ offline: true }), { code: "NOT_FOUND", message: new RegExp(top) });
});

test("offline a store that was never made is not made", async () => {
  await using stage = await setStage(sample);
  await assert.rejects(stage.unpack({ offline: true }), { code: "NOT_FOUND", message: /there is none$/ });
  await assert.rejects(stat(stage.store.directory), { code: "ENOENT" });
});

test("a stored blob that was damaged is fetched again, once, without anybody noticing", async () => {
  await using stage = await setStage(sample);
  const { tree } = await stage.unpack();
  const path = fileOf(stage.store.directory, top);
  const right = await readFile(path);
  for (const wrong of [Buffer.from("short"), Buffer.from(right.map((byte) => byte ^ 1))]) {
    await rm(path);
    await writeFile(path, wrong);
    stage.asked();
    assert.deepEqual((await stage.unpack()).tree, tree);
    assert.deepEqual(stage.asked(), ["manifests/latest", `blobs/${top}`]);
    assert.deepEqual(await readFile(path), right);
  }
});

test("a blob that the registry gives wrongly is not kept, nor is a beginning of it", async () => {
  await using stage = await setStage(sample);
  stage.registry.always(
    new RegExp(top),
    withBody((bytes) => bytes.map((byte) => byte ^ 1)),
  );
  await assert.rejects(stage.unpack(), { code: "DIGEST_MISMATCH" });
  await assert.rejects(stat(fileOf(stage.store.directory, top)), { code: "ENOENT" });
  // Of another blob, whose download was ended by the error, a beginning may be left: it is continued the next time.
  const beginnings = await readdir(join(stage.store.directory, "ingest"));
  assert.ok(!beginnings.includes(`${top.replace(":", "-")}.part`), beginnings.join(", "));
  assert.deepEqual(await readNames(new BlobStore(stage.store.directory)), []);
});

test("a tag that moves to another image is followed, and leads to the new one offline", async () => {
  await using stage = await setStage(sample);
  await stage.unpack();
  const moved = image([tar(file("moved", ""))]);
  stored(stage.registry, "some/image", moved);
  await stage.unpack();
  const { tree } = await stage.unpack({ offline: true });
  assert.deepEqual(Object.keys(tree), [".", "moved"]);
  assert.deepEqual(await imagesIn(stage.store), [stage.reference]);
});

test("of an image for several platforms each is there once it was unpacked", async () => {
  await using stage = await setStage(sample);
  const other = image([tar(file("arm", ""))], { platform: { os: "linux", architecture: "arm64" } });
  for (const { manifest, config, layers } of [other]) {
    for (const { bytes, descriptor } of [config, ...layers]) stage.registry.addBlob(bytes, descriptor.mediaType);
    stage.registry.addManifest("some/image", undefined, manifest.bytes, manifest.descriptor.mediaType);
  }
  const index = imageIndex([sample, other]);
  stage.registry.addManifest("some/image", "both", index.bytes, index.descriptor.mediaType);
  const reference = stage.reference.replace(/latest$/, "both");
  await stage.unpack({ reference });
  assert.equal((await stage.store.verify()).missing.length, 0);
  await assert.rejects(unpackFor("linux/arm64", stage.store.directory, reference, join(stage.directory, "arm")), {
    code: "NOT_FOUND",
  });
});

async function unpackFor(platform: string, storeDirectory: string, reference: string, target: string): Promise<void> {
  await using source = storedSource(registrySource(), store(storeDirectory), { offline: true });
  await unpack(reference, target, { source, platform });
}

test("a store keeps what comes from any source", async () => {
  await using stage = await setStage(sample);
  await stage.unpack();
  await using place = await scratch();
  const kept = store(join(place.directory, "second"));
  await using source = storedSource(localSource(), kept);
  const name = `oci:${stage.store.directory}:${stage.reference}`;
  const { rootfs } = await unpack(name, join(place.directory, "target"), { source, platform: "linux/amd64" });
  assert.ok(Object.keys(readTree(rootfs)).length > 20);
  assert.deepEqual(await imagesIn(kept), [name]);
});

test("skopeo and umoci read the store as the image layout it is", {
  skip: skipUnlessRoot() || skipWithout("skopeo", "umoci"),
}, async () => {
  await using stage = await setStage(sample);
  const { tree } = await stage.unpack();
  const named = `${stage.store.directory}:${stage.reference}`;
  const { Digest } = JSON.parse(await output("skopeo", ["inspect", `oci:${named}`]));
  assert.equal(Digest, sample.manifest.descriptor.digest);
  assert.equal((await output("umoci", ["ls", "--layout", stage.store.directory])).trim(), stage.reference);
  await output("umoci", ["unpack", "--image", named, join(stage.directory, "bundle")]);
  assert.deepEqual(readTree(join(stage.directory, "bundle/rootfs")), tree);
});

test("a directory with something else in it is no store", async () => {
  await using stage = await setStage(sample);
  const source = storedSource(registrySource(), store(stage.directory));
  await writeFile(join(stage.directory, "mine"), "precious");
  await assert.rejects(source.image(stage.reference).manifest(), { code: "TARGET_NOT_EMPTY" });
  await source[Symbol.asyncDispose]();
  assert.deepEqual(await readdir(stage.directory), ["mine"]);
});

test("a full disk is one clear error, and the beginning that filled it goes", {
  skip: skipUnlessMounting(),
}, async () => {
  const large = image([tar(file("large", randomText(3_000_000)))], { encoding: "plain" });
  await using stage = await setStage(large);
  await writeFile(join(stage.directory, "x"), "");
  const small = join(stage.directory, "store");
  execFileSync("mkdir", [small]);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", small]);
  try {
    await assert.rejects(stage.unpack(), {
      code: "NO_SPACE",
      message: /^cannot keep blob sha256:\w+ in the store ".*\/store": /,
    });
    assert.deepEqual(await readdir(join(small, "ingest")), []);
  } finally {
    execFileSync("umount", [small]);
  }
});

test("a store that a full disk kept from being made is made by whoever has room", {
  skip: skipUnlessMounting(),
}, async () => {
  await using stage = await setStage(sample);
  const small = join(stage.directory, "store");
  execFileSync("mkdir", [small]);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", small]);
  try {
    await mkdir(join(small, "ingest"));
    const filler = join(small, "ingest", "filler");
    await writeFile(filler, new Uint8Array(1024 * 1024));
    await assert.rejects(stage.unpack(), { code: "NO_SPACE", message: /^cannot make the store / });
    assert.deepEqual(await readdir(join(small, "ingest")), ["filler"]);
    await rm(filler);
    await stage.unpack();
  } finally {
    execFileSync("umount", [small]);
  }
});

async function imagesIn(kept: Store): Promise<readonly unknown[]> {
  return (await kept.list()).flatMap(({ kind, name }) => (kind === "image" ? [name] : []));
}

function sizeOfLayers({ layers }: Image): number {
  return layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
}

function randomText(length: number): string {
  return Array.from({ length: length / 8 }, () => Math.random().toString(36).slice(2, 10).padEnd(8, "x")).join("");
}
