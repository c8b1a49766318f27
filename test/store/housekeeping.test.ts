import assert from "node:assert/strict";
import { readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { type Image, image, stored } from "../support/image.ts";
import { file, tar } from "../support/tar-builder.ts";
import { type Stage, setStage } from "./stage.ts";

const shared = tar(file("shared", "x".repeat(2000)));
const images = ["old", "middle", "new"].map((name) => image([shared, tar(file(name, name))], { encoding: "plain" }));

/** A store with three images that share a layer, used in the order of their names. */
async function threeImages(): Promise<Stage & { readonly names: readonly string[] }> {
  const stage = await setStage(images[0] as Image);
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

test("a list tells of each image its digest, its size and when it was used, the last one first", async () => {
  await using stage = await threeImages();
  assert.deepEqual(
    await stage.store.list(),
    images
      .map((each, index) => ({
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
    freedBytes: sizeOf(...images) - maxBytes,
    keptBytes: maxBytes,
  });
  assert.deepEqual(await stage.store.verify(), { blobs: 7, corrupt: [], missing: [] });
  await stage.unpack({ reference: stage.names[1] ?? "", offline: true });
});

test("using an image makes it the last one to go", async () => {
  await using stage = await threeImages();
  await stage.unpack({ reference: stage.names[0] ?? "" });
  const { removedImages } = await stage.store.prune({ maxBytes: sizeOf(images[0] as Image) });
  assert.deepEqual([...removedImages].sort(), [stage.names[1], stage.names[2]].sort());
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

test("verifying names each blob that is corrupt or missing, and changes nothing", async () => {
  await using stage = await threeImages();
  const [first, second] = images as [Image, Image, Image];
  const corrupt = first.layers[1]?.descriptor.digest ?? "";
  const missing = second.config.descriptor.digest;
  await rm(fileOf(stage, corrupt));
  await writeFile(fileOf(stage, corrupt), "other bytes");
  await rm(fileOf(stage, missing));
  assert.deepEqual(await stage.store.verify(), { blobs: 9, corrupt: [corrupt], missing: [missing] });
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
