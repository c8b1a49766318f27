import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { MemoryBudget } from "../../src/base/memory-budget.ts";
import {
  diff,
  history,
  type ListOptions,
  type ListResult,
  list,
  type ReadResult,
  read,
  registrySource,
  type Source,
  type StoredSourceOptions,
  sourceFor,
  store,
  storedSource,
  sync,
  unpack,
  verify,
} from "../../src/index.ts";
import { IndexedData } from "../../src/look/file-data.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { layerRules } from "../rules/layer-rules.ts";
import { type Stage, setStage } from "../store/stage.ts";
import { fixtureImages, writeFixture } from "../support/fixture-images.ts";
import { type Encoding, encodings, type Image, image, stored } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { scratch } from "../support/scratch.ts";
import { device, directory, fifo, file, hardlink, opaque, symlink, tar, whiteout } from "../support/tar-builder.ts";
import { sparsePax10 } from "../support/tar-sparse.ts";
import { half, shareOf, third } from "../support/thorough.ts";

const platform = "linux/amd64";

const holed = {
  runs: [
    { offset: 8192, content: "data" },
    { offset: 40_000, content: "more" },
  ],
  size: 50_000,
};
const noise = Array.from({ length: 60_000 }, (_, n) => ((n * 2_654_435_761) >>> 13).toString(36)).join("");

/** Three layers of all kinds of files, the lower ones partly hidden. */
const archives = [
  tar(
    directory("etc", { xattrs: { "user.a": "b" } }),
    file("etc/base", "in the lowest layer"),
    directory("gone"),
    file("gone/old", "0"),
    file("noise", noise),
    file("etc/last", "behind the noise"),
  ),
  tar(
    directory("gone"),
    opaque("gone"),
    file("gone/new", "1"),
    hardlink("etc/link", "etc/base"),
    sparsePax10("etc/sparse", holed),
    sparsePax10("etc/hole", { runs: [], size: 10 }),
    file(Buffer.from("etc/caf\xe9", "latin1"), "one byte for each character"),
  ),
  tar(
    whiteout("gone/old"),
    directory("etc"),
    symlink("etc/alias", "last"),
    device("etc/null", "character", [1, 3]),
    fifo("etc/queue"),
    file("etc/empty"),
  ),
];
const paths = ["/", "etc", "etc/alias", "etc/alias/", "etc/caf\xe9", "etc/link", "gone", "noise", "nope", "etc/nope"];
const files = ["etc/base", "etc/link", "etc/last", "etc/alias", "etc/sparse", "etc/hole", "etc/empty", "noise"];

function layered(encoding: Encoding = "gzip"): Image {
  return image(archives, { encoding });
}

test("a listing from indexes is the listing of the layers, and asks nobody for a layer", async () => {
  await using stage = await setStage(layered());
  await listed(stage, "/", { recursive: true });
  stage.asked();
  for (const path of third(paths)) {
    for (const options of half([{}, { recursive: true, digest: true }], paths.indexOf(path))) {
      const expected = await answerOf(listed(stage, path, options, { index: false }));
      assert.deepEqual(await answerOf(listed(stage, path, options)), expected, path);
    }
  }
  removeLayers(stage);
  stage.asked();
  const { readLayers, fetchedBytes, entries } = await listed(stage, "/", { recursive: true, digest: true });
  assert.equal(readLayers, 0);
  assert.ok(fetchedBytes < 3000);
  assert.ok(entries.length > 12);
  assert.deepEqual(await answerOf(listed(stage, "etc", {}, { offline: true })), await answerOf(listed(stage, "etc")));
  assert.deepEqual(layersAsked(stage, layered()), []);
});

test("whichever verb reads a layer first, it has an index afterwards, and others have none", async () => {
  const [lower, upper] = [tar(file("old", "1")), tar(file("new", "2"))];
  await using stage = await setStage(image([lower, upper]));
  assert.equal((await listed(stage, "new")).readLayers, 1);
  assert.deepEqual(indexed(stage), [digestOf(upper)]);
  assert.equal((await content(stage, "old")).result.readLayers, 1);
  assert.deepEqual([...indexed(stage)].sort(), [lower, upper].map(digestOf).sort());
  assert.deepEqual(
    readdirSync(join(stage.store.directory, "ingest")).filter((name) => name.startsWith("index")),
    [],
  );
});

test("whatever is asked of an image first, it leaves the same indexes", async () => {
  const files = new Map<string, readonly Buffer[]>();
  for (const [verb, ask] of Object.entries(asked)) {
    await using stage = await setStage(layered());
    const target = join(stage.directory, "target");
    if (verb === "verify") await unpack(stage.reference, target, { source: registrySource(), platform });
    await using source = sourceOf(stage, {});
    await ask(stage, { source, platform }, target);
    const paths = archives.map((archive) =>
      indexFiles(stage).find((path) => path.includes(encodedOf(digestOf(archive)))),
    );
    assert.ok(paths.every(isDefined), verb);
    files.set(
      verb,
      paths.map((path) => readFileSync(path)),
    );
  }
  for (const [verb, found] of files) assert.deepEqual(found, files.get("unpack"), verb);
});

/** Verbs that read all layers of an image. Some make the indexes with the thread that merges, others with another one. */
const asked = {
  unpack: ({ reference }, options, target) => unpack(reference, target, options),
  list: ({ reference }, options) => list(reference, "/", { ...options, recursive: true }),
  history: ({ reference }, options) => history(reference, undefined, options),
  async diff({ reference, registry }, options) {
    const other = stored(registry, "another/image", image([tar(file("other", "1"))]));
    for await (const _ of diff(reference, other, options));
  },
  verify: ({ reference }, options, target) => verify(target, reference, options),
  sync: ({ reference }, options, target) => sync(reference, target, options),
} satisfies Record<
  string,
  (stage: Stage, options: { readonly source: Source; readonly platform: string }, target: string) => Promise<unknown>
>;

test("without `index` none is written", async () => {
  await using stage = await setStage(layered());
  await listed(stage, "/", { recursive: true }, { index: false });
  assert.deepEqual(indexed(stage), []);
});

for (const encoding of half(encodings)) {
  test(`a file is read out of the middle of a stored layer (${encoding})`, async () => {
    await using stage = await setStage(layered(encoding));
    const expected = new Map<string, Buffer>();
    for (const path of third(files, encodings.indexOf(encoding)))
      expected.set(path, (await content(stage, path)).bytes);
    stage.asked();
    for (const [path, bytes] of expected) {
      const { bytes: again, result } = await content(stage, path, { offline: true });
      assert.deepEqual(again, bytes, path);
      const readLayers = ["etc/empty", "etc/hole"].includes(path) ? 0 : 1;
      assert.deepEqual([result.readLayers, result.fetchedBytes < 3000], [readLayers, true], path);
    }
    assert.deepEqual(layersAsked(stage, layered(encoding)), []);
  });
}

test("a layer that is not in the store is fetched for a file in it, and no other", async () => {
  await using stage = await setStage(layered());
  const { bytes } = await content(stage, "noise");
  removeLayers(stage);
  stage.asked();
  const again = await content(stage, "noise");
  assert.deepEqual(again.bytes, bytes);
  assert.deepEqual(layersAsked(stage, layered()), [0]);
  assert.ok(again.result.fetchedBytes > 10_000);
  removeLayers(stage);
  await assert.rejects(content(stage, "noise", { offline: true }), { code: "NOT_FOUND" });
});

for (const encoding of half(["plain", "gzip"] as const)) {
  test(`bytes out of a damaged layer are not given out: the layer is fetched again (${encoding})`, async () => {
    const one = layered(encoding);
    await using stage = await setStage(one);
    await listed(stage, "/", { recursive: true });
    damageLayer(stage, one, 0);
    const reading = content(stage, "noise", { offline: true });
    await assert.rejects(reading, { code: "NOT_FOUND", message: /does not have it, or not as it should be/ });
    await listed(stage, "/", { recursive: true }, { index: false });
    damageLayer(stage, one, 0);
    stage.asked();
    assert.equal((await content(stage, "noise")).bytes.toString(), noise);
    assert.deepEqual(layersAsked(stage, one), [0]);
  });
}

test("what is not needed of a stored layer is not read: damage there harms no other file", async () => {
  const one = layered("plain");
  await using stage = await setStage(one);
  await listed(stage, "/", { recursive: true });
  damageLayer(stage, one, 0);
  for (const path of ["etc/base", "etc/last"]) {
    const { bytes } = await content(stage, path, { offline: true });
    assert.equal(bytes.toString(), path === "etc/base" ? "in the lowest layer" : "behind the noise");
  }
});

test("an index that is damaged, cut, missing or of another version is as none, and written again", async () => {
  await using stage = await setStage(layered());
  const expected = await answerOf(listed(stage, "/", { recursive: true, digest: true }));
  for (const change of half([
    (path: string) =>
      writeFileSync(
        path,
        readFileSync(path).map((byte, at) => (at === 50 ? byte ^ 1 : byte)),
      ),
    (path: string) => writeFileSync(path, readFileSync(path).subarray(0, -1)),
    (path: string) => rmSync(path),
    (path: string) => {
      writeFileSync(path.replace("/1-", "/0-"), readFileSync(path));
      rmSync(path);
    },
  ])) {
    const [path = ""] = indexFiles(stage).filter((each) => each.includes("/1-"));
    rewritable(path);
    change(path);
    assert.deepEqual(await answerOf(listed(stage, "/", { recursive: true, digest: true })), expected);
    assert.ok(existsSync(path));
  }
});

test("strictly, what was repaired in a layer is an error also where its index is read", async () => {
  await using stage = await setStage(image([tar(file("a", "1")), tar(file("../etc/b/../c", "2"), file("d", "3"))]));
  const strict = { strict: true, recursive: true };
  const expected = await answerOf(listed(stage, "/", strict, { index: false }));
  await answerOf(listed(stage, "/", { recursive: true }));
  assert.deepEqual(await answerOf(listed(stage, "/", strict)), expected);
});

test("a layer that was repaired while it was decompressed has no index, so that it is read, and refused strictly", async () => {
  const archive = tar(file("a", "1"));
  const bytes = Buffer.concat([gzipSync(archive), Buffer.from("junk")]);
  const descriptor = {
    mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
    digest: digestOf(bytes),
    size: bytes.length,
  };
  await using stage = await setStage(image([archive], { layers: [{ descriptor, bytes }] }));
  assert.equal((await listed(stage, "/")).entries.length, 1);
  assert.deepEqual(indexed(stage), []);
  await assert.rejects(listed(stage, "/", { strict: true }), { code: "STRICT_VIOLATION" });
});

test("indexes of a hostile image are merged within memoryBytes", async () => {
  const many = Array.from({ length: 300 }, (_, n) => file(`d/${n}`, "1"));
  await using stage = await setStage(image([tar(...many), tar(file("other", "2"))]));
  await listed(stage, "/", { recursive: true });
  const limits = { memoryBytes: 100_000 };
  await assert.rejects(listed(stage, "/", { recursive: true, limits }), { code: "LIMIT_EXCEEDED" });
});

test("where the data of an image's files are is within memoryBytes", () => {
  const budget = new MemoryBudget({ memoryBytes: 36_500 });
  const data = new IndexedData(budget);
  data.beginLayer(0);
  const add = (count: number) => {
    for (let n = 0; n < count; n += 1) data.add({ dataOffset: n, digest: "a".repeat(64) });
  };
  add(512);
  assert.throws(() => add(513), { code: "LIMIT_EXCEEDED", message: /files/ });
});

for (const rule of shareOf(100, layerRules)) {
  test(`by rule ${rule.rule} a listing from indexes is that of the layers: ${rule.claim}`, async () => {
    await insistOnEqualListings(image(rule.layers));
  });
}

test("an image of all that layers can say is listed alike from its indexes", async () => {
  await insistOnEqualListings(image(sampleLayers()));
});

for (const each of shareOf(6, fixtureImages())) {
  test(`an image that another tool made is listed alike from its indexes: ${each.transport}:${each.name}`, async () => {
    await using place = await scratch();
    const name = `${each.transport}:${await writeFixture(each, place.directory)}`;
    await insistOnEqual(name, place.directory, each.platform);
  });
}

async function insistOnEqualListings(one: Image): Promise<void> {
  await using place = await scratch();
  const layout = join(place.directory, "layout");
  await writeImageLayout(layout, [{ tag: "x", images: [one] }]);
  await insistOnEqual(`oci:${layout}:x`, place.directory, platform);
}

async function insistOnEqual(name: string, place: string, wanted: string): Promise<void> {
  const kept = store(join(place, "store"));
  const listing = async (options: StoredSourceOptions) => {
    await using source = storedSource(sourceFor(name), kept, options);
    return await answerOf(list(name, "/", { source, platform: wanted, recursive: true, digest: true }));
  };
  const expected = await listing({ index: false });
  assert.deepEqual(await listing({}), expected);
  const blobs = join(kept.directory, "blobs/sha256");
  for (const blob of readdirSync(blobs)) if (!isJson(readFileSync(join(blobs, blob)))) rmSync(join(blobs, blob));
  const again = await listing({ offline: true });
  if (Array.isArray(expected)) assert.deepEqual(again, expected);
}

function isJson(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7b;
}

/** The entries of a listing, or the code of the error that comes in their stead. */
async function answerOf(listing: Promise<ListResult>) {
  try {
    return (await listing).entries;
  } catch (error) {
    if (error instanceof Error && "code" in error) return error.code;
    throw error;
  }
}

function sourceOf({ store: kept }: Stage, options: StoredSourceOptions): Source {
  return storedSource(registrySource({ retries: 0 }), kept, options);
}

async function listed(stage: Stage, path: string, options: ListOptions = {}, use: StoredSourceOptions = {}) {
  await using source = sourceOf(stage, use);
  return await list(stage.reference, path, { ...options, source, platform });
}

async function content(
  stage: Stage,
  path: string,
  use: StoredSourceOptions = {},
  options: ListOptions = {},
): Promise<{ readonly bytes: Buffer; readonly result: ReadResult }> {
  await using source = sourceOf(stage, use);
  const reading = read(stage.reference, path, { ...options, source, platform });
  const bytes = await buffer(reading);
  return { bytes, result: await reading.result };
}

/** Which layers were asked for, the bottom one being 0. */
function layersAsked(stage: Stage, { layers }: Image): readonly number[] {
  return stage.asked().flatMap((path) => {
    const layer = layers.findIndex(({ descriptor }) => path.endsWith(descriptor.digest));
    return layer < 0 ? [] : [layer];
  });
}

function indexed({ store: { directory: place } }: Stage): readonly string[] {
  const folder = join(place, "indexes");
  return existsSync(folder) ? readdirSync(folder).map((name) => name.replace("-", ":")) : [];
}

function isDefined(path: string | undefined): path is string {
  return path !== undefined;
}

/** The digest without its algorithm. */
function encodedOf(digest: string): string {
  return digest.slice(digest.indexOf(":") + 1);
}

function indexFiles({ store: { directory: place } }: Stage): readonly string[] {
  const folder = join(place, "indexes");
  return readdirSync(folder).flatMap((layer) =>
    readdirSync(join(folder, layer)).map((name) => join(folder, layer, name)),
  );
}

/** A file of the store is read-only. */
function rewritable(path: string): void {
  const bytes = readFileSync(path);
  rmSync(path);
  writeFileSync(path, bytes);
}

function blobPath({ store: { directory: place } }: Stage, digest: string): string {
  return join(place, "blobs", digest.replace(":", "/"));
}

function removeLayers(stage: Stage): void {
  for (const name of readdirSync(join(stage.store.directory, "blobs/sha256"))) {
    const path = blobPath(stage, `sha256:${name}`);
    if (!isJson(readFileSync(path))) rmSync(path);
  }
}

/** Changes a byte in the middle of a stored layer. */
function damageLayer(stage: Stage, { layers }: Image, layer: number): void {
  const path = blobPath(stage, layers[layer]?.descriptor.digest ?? "");
  const bytes = readFileSync(path);
  rmSync(path);
  writeFileSync(
    path,
    bytes.map((byte, at) => (at === bytes.length >> 1 ? byte ^ 0x55 : byte)),
  );
}
