import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { FetchOptions } from "../../src/base/events.ts";
import { defaultLimits } from "../../src/base/limits.ts";
import { registrySource, type StoreFindings, store, storedSource, unpack } from "../../src/index.ts";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-type.ts";
import { BlobStore } from "../../src/store/blob-store.ts";
import { pruneStore } from "../../src/store/prune.ts";
import { reachable } from "../../src/store/stored-documents.ts";
import { type Image, image, stored } from "../support/image.ts";
import { file, tar } from "../support/tar-builder.ts";
import { type Stage, setStage } from "./stage.ts";

const shared = tar(file("shared", "x".repeat(2000)));
const images = ["old", "middle", "new"].map((name) => image([shared, tar(file(name, name))], { encoding: "plain" }));

interface ThreeImages extends Stage {
  readonly names: readonly string[];
}

let filled: ThreeImages;
before(async () => {
  filled = await filledStage();
});
after(() => filled[Symbol.asyncDispose]());

/** A store with three images that share a layer, used in the order of their names. */
async function filledStage(): Promise<ThreeImages> {
  const stage = withoutIndexes(await setStage(images[0] as Image));
  const names: string[] = [];
  for (const [index, each] of images.entries()) {
    const reference = stored(stage.registry, `image-${index}`, each);
    await stage.unpack({ reference });
    const when = new Date(Date.UTC(2020, 0, 1 + index));
    await utimes(fileOf(stage, each.manifest.descriptor.digest), when, when);
    names.push(reference);
  }
  return { ...stage, names };
}

/** A copy of it, for a test of its own. */
async function threeImages(): Promise<ThreeImages> {
  const { registry, store: original, names } = filled;
  const stage = withoutIndexes(await setStage(images[0] as Image, registry));
  await cp(original.directory, stage.store.directory, { recursive: true, preserveTimestamps: true });
  return { ...stage, names };
}

/** What is told here is told of images alone. */
function withoutIndexes(stage: Stage): Stage {
  return { ...stage, unpack: (options) => stage.unpack({ ...options, index: false }) };
}

function fileOf(stage: Stage, digest: string): string {
  return join(stage.store.directory, "blobs", digest.replace(":", "/"));
}

function sizeOf(...several: readonly Image[]): number {
  const blobs = several.flatMap(({ manifest, config, layers }) => [manifest, config, ...layers]);
  return [...new Map(blobs.map(({ descriptor }) => [descriptor.digest, descriptor.size])).values()].reduce(
    (sum, size) => sum + size,
    0,
  );
}

/** What verifying says of a store with so many blobs, and nothing else. */
function allRight(blobs: number): StoreFindings {
  return { blobs, corrupt: [], missing: [], indexes: 0, outputs: 0, trees: 0, damaged: [] };
}

test("a list tells of each image its digest, its size and when it was used, the last one first", async () => {
  await using stage = await threeImages();
  assert.deepEqual(
    await stage.store.list(),
    images
      .map((each, index) => ({
        kind: "image",
        name: stage.names[index],
        digest: each.manifest.descriptor.digest,
        sizeBytes: sizeOf(each),
        lastUsed: new Date(Date.UTC(2020, 0, 1 + index)),
      }))
      .reverse(),
  );
});

test("a prune keeps the images that were used last, as many as fit, and all their blobs", async () => {
  await using stage = await threeImages();
  const [, middle, newest] = images as [Image, Image, Image];
  const maxBytes = sizeOf(middle, newest);
  const result = await stage.store.prune({ maxBytes });
  assert.deepEqual(result, {
    removedImages: [stage.names[0]],
    removedLayers: 0,
    removedIndexes: 0,
    removedOutputs: 0,
    removedTrees: 0,
    freedBytes: sizeOf(...images) - maxBytes,
    keptBytes: maxBytes,
    absentOverlays: [],
  });
  assert.deepEqual(await stage.store.verify(), allRight(7));
  await stage.unpack({ reference: stage.names[1] ?? "", offline: true });
});

test("using an image makes it the last one to go", async () => {
  await using stage = await threeImages();
  await stage.unpack({ reference: stage.names[0] ?? "" });
  const { removedImages } = await stage.store.prune({ maxBytes: sizeOf(images[0] as Image) });
  assert.deepEqual([...removedImages].sort(), [stage.names[1], stage.names[2]].sort());
});

test("so does using it offline", async () => {
  await using stage = await threeImages();
  await stage.unpack({ reference: stage.names[0] ?? "", offline: true });
  const { removedImages } = await stage.store.prune({ maxBytes: sizeOf(images[0] as Image) });
  assert.deepEqual([...removedImages].sort(), [stage.names[1], stage.names[2]].sort());
});

test("a prune does not empty a store because the image that was used last is too large alone", async () => {
  await using stage = await threeImages();
  const [, middle, newest] = images as [Image, Image, Image];
  const large = image([tar(file("large", randomBytes(50_000)))], { encoding: "plain" });
  const reference = stored(stage.registry, "large", large);
  await stage.unpack({ reference });
  const { removedImages } = await stage.store.prune({ maxBytes: sizeOf(middle, newest) });
  assert.deepEqual([...removedImages].sort(), [stage.names[0], reference].sort());
});

test("without a size a prune takes only what no image needs", async () => {
  await using stage = await threeImages();
  const orphan = `sha256:${"0".repeat(64)}`;
  await writeFile(fileOf(stage, orphan), "of no image");
  await writeFile(join(stage.store.directory, "ingest/sha256-1.part"), "a beginning");
  const { removedImages, freedBytes } = await stage.store.prune();
  assert.deepEqual([removedImages, freedBytes], [[], 22]);
  assert.deepEqual(await readdir(join(stage.store.directory, "ingest")), []);
  assert.equal((await stage.store.list()).length, 3);
});

test("an image that needed a larger limit is kept, and used offline, by whoever says so; else the limit is named", async () => {
  const annotations = { filling: "x".repeat(defaultLimits.manifestBytes) };
  const large = image([tar(file("f", "1"))], { manifest: { annotations } });
  await using stage = await setStage(large);
  const limits = { manifestBytes: 3 * defaultLimits.manifestBytes };
  const { directory } = stage.store;
  const options = { limits, platform: "linux/amd64" };
  const source = (offline: boolean) =>
    storedSource(registrySource({ limits }), stage.store, { offline, index: false, limits });
  {
    await using asking = source(false);
    await unpack(stage.reference, join(stage.directory, "first"), { ...options, source: asking });
  }
  const refused = {
    code: "LIMIT_EXCEEDED",
    message: /^cannot tell what sha256:\w+ in the store/,
    details: { limit: "manifestBytes", allowed: defaultLimits.manifestBytes },
  };
  for (const work of ["list", "verify", "prune"] as const) await assert.rejects(stage.store[work](), refused);
  const opened = store(directory, { limits });
  assert.deepEqual(
    (await opened.list()).flatMap(({ kind, name }) => (kind === "image" ? [name] : [])),
    [stage.reference],
  );
  assert.deepEqual(await opened.verify(), allRight(3));
  assert.equal((await opened.prune()).freedBytes, 0);
  await using offline = source(true);
  await unpack(stage.reference, join(stage.directory, "second"), { ...options, source: offline });
});

test("verifying names each blob that is corrupt or missing, and changes nothing", async () => {
  await using stage = await threeImages();
  const [first, second] = images as [Image, Image, Image];
  const corrupt = first.layers[1]?.descriptor.digest ?? "";
  const missing = second.config.descriptor.digest;
  await rm(fileOf(stage, corrupt));
  await writeFile(fileOf(stage, corrupt), "other bytes");
  await rm(fileOf(stage, missing));
  assert.deepEqual(await stage.store.verify(), { ...allRight(9), corrupt: [corrupt], missing: [missing] });
  assert.equal((await readFile(fileOf(stage, corrupt))).toString(), "other bytes");
});

test("entries of other tools stay in the index as they are", async () => {
  await using stage = await threeImages();
  const path = join(stage.store.directory, "index.json");
  const index = JSON.parse(await readFile(path, "utf8"));
  index.manifests[0].annotations["com.example.mine"] = "kept";
  index["x-top"] = { also: "kept" };
  await writeFile(path, JSON.stringify(index));
  await stage.unpack();
  const changed = JSON.parse(await readFile(path, "utf8"));
  assert.equal(changed.manifests.length, 4);
  assert.deepEqual(changed.manifests[0], index.manifests[0]);
  assert.deepEqual(changed["x-top"], { also: "kept" });
});

test("a prune takes nothing that came to be needed while it looked", async () => {
  await using stage = await threeImages();
  const [oldest, , newest] = images as [Image, Image, Image];
  const layer = oldest.layers[1];
  if (layer === undefined) throw new TypeError("the image has layers");
  await stage.store.prune({ maxBytes: sizeOf(newest) });
  await writeFile(fileOf(stage, layer.descriptor.digest), layer.bytes);
  const arriving = async () => {
    await stage.unpack({ reference: stage.names[0] ?? "" });
  };
  let looks = 0;
  const watched = new (class extends BlobStore {
    override async useAlone(options?: FetchOptions) {
      looks += 1;
      if (looks === 1) await arriving();
      return await super.useAlone(options);
    }
  })(stage.store.directory);
  await pruneStore(watched, {});
  assert.equal(looks, 2);
  assert.deepEqual((await stage.store.verify()).missing, []);
  await stage.unpack({ reference: stage.names[0] ?? "", offline: true });
});

test("a prune that waits for others says so after a second", async () => {
  await using stage = await threeImages();
  const use = await new BlobStore(stage.store.directory).use();
  const reasons: unknown[] = [];
  await stage.store.prune({
    onEvent(event) {
      reasons.push(event);
      void use.close();
    },
  });
  const reason = `another process uses the store "${stage.store.directory}"`;
  assert.deepEqual(reasons, [{ type: "waiting", reason }]);
});

test("others may use a store while it is found out what is to go, and while that is removed", async () => {
  await using stage = await threeImages();
  const orphan = `sha256:${"0".repeat(64)}`;
  await writeFile(fileOf(stage, orphan), "of no image");
  const trash = join(stage.store.directory, "trash");
  const seen: string[] = [];
  const watched = new (class extends BlobStore {
    override async sizes() {
      await (await this.use({ signal: AbortSignal.timeout(60_000) })).close();
      seen.push("looked");
      return await super.sizes();
    }
    override async useAlone(options?: FetchOptions) {
      const lock = await super.useAlone(options);
      const close = lock.close.bind(lock);
      lock.close = async () => {
        await close();
        seen.push(`${(await readdir(trash)).length} in the trash`);
      };
      return lock;
    }
  })(stage.store.directory);
  await pruneStore(watched, {});
  assert.deepEqual(seen, ["looked", "2 in the trash"], "a blob and the directory of beginnings");
  assert.equal(existsSync(trash), false);
});

test("what a prune that was ended has left is removed by the next", async () => {
  await using stage = await threeImages();
  await mkdir(join(stage.store.directory, "trash/7"), { recursive: true });
  await writeFile(join(stage.store.directory, "trash/7/file"), "x");
  await stage.store.prune();
  assert.equal(existsSync(join(stage.store.directory, "trash")), false);
});

test("what lies behind a link in a store is not taken for its layers", async () => {
  await using stage = await threeImages();
  const outside = join(stage.directory, "outside");
  await mkdir(join(outside, "documents"), { recursive: true });
  await mkdir(join(stage.store.directory, "layers"));
  await symlink(outside, join(stage.store.directory, "layers/privileged-0"));
  assert.equal((await stage.store.prune({ maxBytes: 0 })).removedLayers, 0);
  assert.deepEqual(await readdir(outside), ["documents"]);
});

test("verifying removes no manifest either, when it is corrupt", async () => {
  await using stage = await threeImages();
  const digest = images[0]?.manifest.descriptor.digest ?? "";
  await rm(fileOf(stage, digest));
  await writeFile(fileOf(stage, digest), "{}");
  assert.deepEqual((await stage.store.verify()).corrupt, [digest]);
  assert.equal((await stage.store.list()).length, 3);
  assert.equal((await readFile(fileOf(stage, digest))).toString(), "{}");
});

test("R-33: indexes that list each other again and again are read once each", async () => {
  await using stage = await threeImages();
  const [leaf] = images as [Image, Image, Image];
  let below = leaf.manifest.descriptor;
  for (let level = 0; level < 3; level += 1) {
    const manifests = Array.from({ length: 1000 }, () => below);
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
    below = { mediaType: mediaTypes.ociIndex, digest: digestOf(bytes), size: bytes.length };
    await writeFile(fileOf(stage, below.digest), bytes);
  }
  let looks = 0;
  const counted = new (class extends BlobStore {
    override sizeOf(digest: Digest) {
      looks += 1;
      return super.sizeOf(digest);
    }
  })(stage.store.directory);
  const { mediaType, digest, size: sizeBytes } = below;
  const found = await reachable(counted, { mediaType, digest: digest as Digest, sizeBytes });
  assert.equal(found.length, 3 + 1 + leaf.layers.length + 1);
  assert.equal(looks, 4);
  assert.deepEqual(
    found.filter(({ isNeeded }) => !isNeeded).length,
    3,
    "what an index lists is not needed, the rest is",
  );
});
