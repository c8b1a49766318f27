import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import {
  exportRootfs,
  inspect,
  registrySource,
  type StoreEntry,
  type StoreFindings,
  store,
  storedSource,
  unpack,
} from "../../src/index.ts";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import { BlobStore } from "../../src/store/blob-store.ts";
import { type KeptKind, KeptResults } from "../../src/store/kept-results.ts";
import { type Image, image, imageIndex, stored } from "../support/image.ts";
import { file, tar } from "../support/tar-builder.ts";
import { type Stage, setStage } from "./stage.ts";

const archive = tar(file("a", "x".repeat(20_000)));
const sample = image([archive], { encoding: "plain" });
const stranger = `sha256:${"5".repeat(64)}` as Digest;

/** A store with an image, and the index of its layer. */
async function stageWithIndex(): Promise<Stage> {
  const stage = await setStage(sample);
  await stage.unpack({ index: true });
  return stage;
}

/** Keeps a result as a verb does: 500 bytes of an image. */
async function keep(stage: Stage, kind: KeptKind, key: string, digest = digestOfImage(sample)): Promise<string> {
  const results = new KeptResults(new BlobStore(stage.store.directory), kind);
  const staged = await results.stage();
  await mkdir(join(staged, "rootfs"));
  await writeFile(join(staged, "rootfs/content"), "x".repeat(500));
  await chmod(join(staged, "rootfs"), 0o000);
  const form = kind === "output" ? { form: "erofs" } : {};
  return await results.keep(staged, key, { name: stage.reference, digest, sizeBytes: 500, ...form });
}

function digestOfImage({ manifest }: Image): Digest {
  return manifest.descriptor.digest as Digest;
}

function indexOf(stage: Stage, digest: string = digestOf(archive)): string {
  return join(stage.store.directory, "indexes", digest.replace(":", "-"));
}

async function usedAt(path: string, day: number): Promise<void> {
  const when = new Date(Date.UTC(2020, 0, day));
  await utimes(path, when, when);
}

function documentOf(stage: Stage, { manifest }: Image): string {
  return join(stage.store.directory, "blobs", manifest.descriptor.digest.replace(":", "/"));
}

async function kindsIn(stage: Stage): Promise<readonly StoreEntry["kind"][]> {
  return (await stage.store.list()).map(({ kind }) => kind);
}

test("a list tells of each kind its name, its size and when it was used, the last one first", async () => {
  await using stage = await stageWithIndex();
  await usedAt(await keep(stage, "output", "1"), 3);
  await usedAt(await keep(stage, "tree", "2"), 2);
  await usedAt(indexOf(stage), 4);
  await usedAt(documentOf(stage, sample), 1);
  const [index, output, tree, { kind } = assert.fail(), ...others] = await stage.store.list();
  const name = stage.reference;
  const day = (number: number) => new Date(Date.UTC(2020, 0, number));
  assert.ok((index?.sizeBytes ?? 0) > 100);
  assert.deepEqual(
    { ...index, sizeBytes: 0 },
    { kind: "index", name: digestOf(archive), sizeBytes: 0, lastUsed: day(4) },
  );
  assert.deepEqual(output, { kind: "output", name, form: "erofs", sizeBytes: 500, lastUsed: day(3) });
  assert.deepEqual(tree, { kind: "tree", name, sizeBytes: 500, lastUsed: day(2) });
  assert.deepEqual([kind, others], ["image", []]);
});

test("a prune keeps what was made of an image that has a name, and removes the rest", async () => {
  await using stage = await stageWithIndex();
  await keep(stage, "output", "1");
  await keep(stage, "tree", "2");
  const gone = [await keep(stage, "output", "3", stranger), await keep(stage, "tree", "4", stranger)];
  gone.push(indexOf(stage, stranger));
  await mkdir(indexOf(stage, stranger));
  const { removedIndexes, removedOutputs, removedTrees, freedBytes } = await stage.store.prune();
  assert.deepEqual([removedIndexes, removedOutputs, removedTrees, freedBytes], [1, 1, 1, 1000]);
  assert.deepEqual(gone.filter(existsSync), []);
  assert.deepEqual([...(await kindsIn(stage))].sort(), ["image", "index", "output", "tree"]);
});

test("what was made of any image that an index of a name lists stays", async () => {
  const others = { os: "linux", architecture: "arm64" };
  const other = image([tar(file("other", "1"))], { platform: others });
  await using stage = await setStage(sample);
  const index = imageIndex([sample, other]);
  stored(stage.registry, "some/image", other);
  stage.registry.addManifest("some/image", other.manifest.descriptor.digest, other.manifest.bytes, "");
  stored(stage.registry, "some/image", sample);
  stage.registry.addManifest("some/image", sample.manifest.descriptor.digest, sample.manifest.bytes, "");
  stage.registry.addManifest("some/image", "latest", index.bytes, index.descriptor.mediaType);
  await stage.unpack({ index: true });
  await using source = storedSource(registrySource(), stage.store);
  await inspect(stage.reference, { source, platform: "linux/arm64" });
  await source[Symbol.asyncDispose]();
  await keep(stage, "tree", "of-other", digestOfImage(other));
  const { removedIndexes, removedTrees } = await stage.store.prune();
  assert.deepEqual([removedIndexes, removedTrees], [0, 0]);
});

test("a configuration that is larger than the limit is not read by a prune", async () => {
  await using stage = await stageWithIndex();
  const limited = store(stage.store.directory, { limits: { configBytes: 100 } });
  const { removedImages, removedIndexes } = await limited.prune();
  assert.deepEqual([removedImages, removedIndexes], [[], 1], "nothing tells that the index belongs to the image");
});

test("a prune removes an index that is damaged or of another version, and a result whose record is", async () => {
  await using stage = await stageWithIndex();
  const [name = ""] = await readdir(indexOf(stage));
  await chmod(join(indexOf(stage), name), 0o644);
  await writeFile(join(indexOf(stage), name), "damaged");
  const output = await keep(stage, "output", "1");
  await writeFile(join(output, "record.json"), "{");
  const tree = await keep(stage, "tree", "2");
  await rm(join(tree, "record.json"));
  const { removedIndexes, removedOutputs, removedTrees, freedBytes } = await stage.store.prune();
  assert.deepEqual([removedIndexes, removedOutputs, removedTrees], [1, 1, 1]);
  assert.ok(freedBytes >= 7 + 1 + (process.getuid?.() === 0 ? 1000 : 0), String(freedBytes));
  assert.deepEqual(await kindsIn(stage), ["image"]);

  await mkdir(indexOf(stage), { recursive: true });
  await writeFile(join(indexOf(stage), name.replace(/^\d+/, "0")), "of another version");
  assert.equal((await stage.store.verify()).damaged.length, 0, "it is not damaged");
  assert.equal((await stage.store.prune()).removedIndexes, 1);
});

test("a prune to a size removes what was used longest ago, whatever its kind", async () => {
  await using stage = await stageWithIndex();
  const old = image([tar(file("old", "x".repeat(20_000)))], { encoding: "plain" });
  await stage.unpack({ reference: stored(stage.registry, "old/image", old), index: false });
  await usedAt(documentOf(stage, sample), 9);
  await usedAt(await keep(stage, "output", "new"), 8);
  await usedAt(documentOf(stage, old), 7);
  await usedAt(indexOf(stage), 6);
  await usedAt(await keep(stage, "tree", "oldest"), 5);
  const entries = await stage.store.list();
  for (let left = entries.length - 1; left > 0; left -= 1) {
    const staying = entries.slice(0, left);
    const maxBytes = staying.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
    const { keptBytes } = await stage.store.prune({ maxBytes });
    assert.deepEqual([keptBytes, await stage.store.list()], [maxBytes, staying]);
  }
});

test("where something stays that was made of an image, the documents of the image do, and its name", async () => {
  await using stage = await stageWithIndex();
  await usedAt(documentOf(stage, sample), 1);
  await keep(stage, "output", "1");
  const documentBytes = sample.manifest.descriptor.size + sample.config.descriptor.size;
  const { removedImages, keptBytes } = await stage.store.prune({ maxBytes: documentBytes + 500 + 10 });
  assert.deepEqual([removedImages, keptBytes], [[stage.reference], documentBytes + 500]);
  const again = await stage.store.prune();
  assert.deepEqual([again.removedImages, again.removedOutputs, again.freedBytes], [[], 0, 0]);
  await using source = storedSource(registrySource(), stage.store, { offline: true });
  assert.equal((await inspect(stage.reference, { source, platform: "linux/amd64" })).digest, digestOfImage(sample));
  const { manifests } = JSON.parse(await readFile(join(stage.store.directory, "index.json"), "utf8"));
  assert.deepEqual(manifests, [], "other tools are told only of what is there whole");
  await stage.unpack({ index: false });
  assert.deepEqual([...(await kindsIn(stage))].sort(), ["image", "output"]);
});

test("what was left by a process that was killed goes, and counts as freed", async () => {
  await using stage = await stageWithIndex();
  const ingest = join(stage.store.directory, "ingest");
  for (const kind of ["output", "tree"] as const) {
    const staged = await new KeptResults(new BlobStore(stage.store.directory), kind).stage();
    await mkdir(join(staged, "rootfs/deep"), { recursive: true });
    await writeFile(join(staged, "rootfs/deep/half"), "x".repeat(100));
  }
  await mkdir(join(ingest, "layers-abc"));
  await writeFile(join(ingest, "layers-abc/half"), "x".repeat(100));
  await writeFile(join(ingest, "index-abc.tmp"), "x".repeat(100));
  assert.equal((await stage.store.prune()).freedBytes, 400);
  assert.deepEqual(await readdir(ingest), []);
  assert.deepEqual([...(await kindsIn(stage))].sort(), ["image", "index"]);
});

test("verifying names an index that is damaged, and changes nothing", async () => {
  await using stage = await stageWithIndex();
  assert.equal((await stage.store.verify()).indexes, 1);
  const [name = ""] = await readdir(indexOf(stage));
  const path = join(indexOf(stage), name);
  await chmod(path, 0o644);
  await writeFile(path, (await readFile(path)).fill(0, 20, 30));
  const { damaged } = await stage.store.verify();
  assert.deepEqual(damaged, [{ kind: "index", name: digestOf(archive), path: indexOf(stage) }]);
  assert.ok(existsSync(path));
});

test("verifying names an output that is damaged or has no record, and changes nothing", async () => {
  await using stage = await setStage(sample);
  await using source = storedSource(registrySource(), stage.store, { index: false });
  const file = join(stage.directory, "image.tar");
  await exportRootfs(stage.reference, file, { source, keep: true, platform: "linux/amd64" });
  assert.deepEqual(await findingsOf(stage), { outputs: 1, damaged: [] });
  const [key = ""] = await readdir(join(stage.store.directory, "outputs"));
  const path = join(stage.store.directory, "outputs", key);
  const content = join(path, "content");
  await chmod(content, 0o644);
  await writeFile(content, (await readFile(content)).fill("y", 1024, 1025));
  const name = stage.reference;
  assert.deepEqual(await findingsOf(stage), { outputs: 1, damaged: [{ kind: "output", name, form: "tar", path }] });
  await rm(content);
  assert.deepEqual(await findingsOf(stage), { outputs: 1, damaged: [{ kind: "output", name, form: "tar", path }] });
  await writeFile(join(path, "record.json"), "{}");
  assert.deepEqual(await findingsOf(stage), { outputs: 0, damaged: [{ kind: "output", path }] });
  assert.ok(existsSync(path));
});

test("verifying names a tree in which a file was written to, or is not there, and changes nothing", async () => {
  await using stage = await setStage(sample);
  await using source = storedSource(registrySource(), stage.store, { index: false });
  const mtree = join(stage.directory, "mtree");
  const options = { source, keep: true, mtree, platform: "linux/amd64" };
  await unpack(stage.reference, join(stage.directory, "clone"), options);
  const [key = ""] = await readdir(join(stage.store.directory, "trees"));
  const path = join(stage.store.directory, "trees", key);
  const treesOf = async () => {
    const { trees, damaged } = await stage.store.verify();
    return { trees, damaged };
  };
  assert.deepEqual(await treesOf(), { trees: 1, damaged: [] });
  const damaged = [{ kind: "tree", name: stage.reference, path }];
  const content = join(path, "rootfs/a");
  const before = await readFile(content);
  const { atime, mtime } = await stat(content);
  await writeFile(
    content,
    before.map((byte) => byte ^ 1),
  );
  await utimes(content, atime, mtime);
  assert.deepEqual(await treesOf(), { trees: 1, damaged });
  await writeFile(content, before);
  await utimes(content, atime, mtime);
  assert.deepEqual(await treesOf(), { trees: 1, damaged: [] }, "it is again what it was");
  await chmod(join(path, "mtree"), 0o644);
  await writeFile(join(path, "mtree"), "#mtree");
  assert.deepEqual(await treesOf(), { trees: 1, damaged });
  await rm(content);
  assert.deepEqual(await treesOf(), { trees: 1, damaged });
  assert.ok(existsSync(path));
});

test("what another version of this program has kept is not judged", async () => {
  await using stage = await stageWithIndex();
  await keep(stage, "output", "1");
  await keep(stage, "tree", "2");
  assert.deepEqual(await findingsOf(stage), { outputs: 1, damaged: [] });
});

async function findingsOf(stage: Stage): Promise<Pick<StoreFindings, "outputs" | "damaged">> {
  const { outputs, damaged } = await stage.store.verify();
  return { outputs, damaged };
}

test("a layer that is missing while its index is there is nothing wrong in a store", async () => {
  await using stage = await stageWithIndex();
  await usedAt(documentOf(stage, sample), 1);
  const [index] = (await stage.store.list()).filter(({ kind }) => kind === "index");
  await stage.store.prune({ maxBytes: 3000 + (index?.sizeBytes ?? 0) });
  assert.equal(existsSync(join(stage.store.directory, "blobs", digestOf(archive).replace(":", "/"))), false);
  const { missing, damaged, indexes } = await stage.store.verify();
  assert.deepEqual([missing, damaged, indexes], [[], [], 1]);
});

test("that holds for a layer too that was there once, as long as its index is intact", async () => {
  await using stage = await stageWithIndex();
  await rm(join(stage.store.directory, "blobs", digestOf(archive).replace(":", "/")));
  assert.deepEqual((await stage.store.verify()).missing, []);
  const [name = ""] = await readdir(indexOf(stage));
  await chmod(join(indexOf(stage), name), 0o644);
  await writeFile(join(indexOf(stage), name), "damaged");
  const { missing, damaged } = await stage.store.verify();
  assert.deepEqual([missing, damaged.length], [[digestOf(archive)], 1]);
});
