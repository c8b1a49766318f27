import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import {
  exportRootfs,
  registrySource,
  type Source,
  type StoredSourceOptions,
  sourceFor,
  store,
  storedSource,
  type UnpackOptions,
  unpack,
  type VerifyResult,
  verify,
} from "../../src/index.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { fixtureImages, writeFixture } from "../support/fixture-images.ts";
import { type Image, image } from "../support/image.ts";
import { answer, withBody } from "../support/registry-reply.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { scratch } from "../support/scratch.ts";
import { directory, file, hardlink, symlink, tar, tarWithoutEnd, whiteout } from "../support/tar-builder.ts";
import { sparsePax10 } from "../support/tar-sparse.ts";
import { shareOf, third } from "../support/thorough.ts";
import { readTree } from "../support/tree.ts";
import { type Stage, setStage } from "./stage.ts";

const platform = "linux/amd64";

/** Layers of which each has something of its own, and some change what is below. */
const archives = [
  tar(directory("etc"), file("etc/base", "0"), file("etc/replaced", "0"), directory("gone"), file("gone/x", "0")),
  tar(
    file("etc/replaced", "1"),
    whiteout("gone"),
    file("opt/large", "1".repeat(100_000)),
    hardlink("opt/link", "etc/base"),
  ),
  tar(
    file("srv/top", "2"),
    symlink("srv/base", "../etc/base"),
    sparsePax10("srv/sparse", { runs: [{ offset: 8192, content: "data" }], size: 50_000 }),
  ),
];
const layered = image(archives);
const digests = layered.layers.map(({ descriptor }) => descriptor.digest);

test("each layer that is read has an index afterwards", async () => {
  await using stage = await setStage(layered);
  await stage.unpack();
  assert.deepEqual([...indexed(stage)].sort(), archives.map(digestOf).sort());
  for (const path of indexFiles(stage)) {
    assert.equal(JSON.parse(gunzipSync(readFileSync(path)).toString()).version, 1);
  }
  assert.deepEqual(temporaryIndexes(stage), []);
});

test("without `index` no index is written, and none is read", async () => {
  await using stage = await setStage(layered);
  const target = await unpackedThrough(stage, { index: false });
  assert.deepEqual(indexed(stage), []);
  await stage.unpack();
  removeBlobs(stage, digests);
  await assert.rejects(verified(stage, target, { offline: true, index: false }), { code: "NOT_FOUND" });
});

const wrongLayers: readonly [what: string, code: string, prepare: (stage: Stage) => void, wrong: Image][] = [
  [
    "whose bytes have another digest than its descriptor",
    "DIGEST_MISMATCH",
    ({ registry }) =>
      registry.always(
        new RegExp(`${digests[1]}`),
        withBody((bytes) => bytes.map((byte) => byte ^ 1)),
      ),
    layered,
  ],
  ["that does not come", "REGISTRY_ERROR", ({ registry }) => registry.always(/blobs.*/, answer(500)), layered],
  [
    "with another diffID than the configuration states",
    "DIFF_ID_MISMATCH",
    () => {},
    image([tar(file("a"))], { diffIds: [`sha256:${"0".repeat(64)}`] }),
  ],
];
for (const [what, code, prepare, wrong] of wrongLayers) {
  test(`an image with a layer ${what} leaves no index`, async () => {
    await using stage = await setStage(wrong);
    prepare(stage);
    await assert.rejects(stage.unpack(), { code });
    assert.deepEqual([indexed(stage), temporaryIndexes(stage)], [[], []]);
  });
}

test("a damaged index is not believed: the layer is read, and has an index again", async () => {
  await using stage = await setStage(layered);
  const target = await unpackedThrough(stage);
  const [path = ""] = indexFiles(stage);
  const right = readFileSync(path);
  for (const wrong of [
    Buffer.alloc(0),
    right.subarray(0, -1),
    right.map((byte, at) => (at === 40 ? byte ^ 4 : byte)),
  ]) {
    rmSync(path);
    writeFileSync(path, wrong);
    const result = await verified(stage, target);
    assert.equal(result.differenceCount, 0);
    assert.deepEqual(readFileSync(path), right);
  }
});

test("an index of another version is left alone, and another one is written beside it", async () => {
  await using stage = await setStage(layered);
  const target = await unpackedThrough(stage);
  const [path = ""] = indexFiles(stage);
  const later = path.replace(/\/1-/, "/2-");
  writeFileSync(later, "whatever comes");
  rmSync(path);
  assert.equal((await verified(stage, target)).differenceCount, 0);
  assert.deepEqual(readdirSync(join(path, "..")).length, 2);
  assert.equal(readFileSync(later, "utf8"), "whatever comes");
});

test("a directory is verified without one byte of a layer, also offline", async () => {
  await using stage = await setStage(layered);
  const target = await unpackedThrough(stage);
  removeBlobs(stage, digests);
  stage.asked();
  assert.equal((await verified(stage, target)).differenceCount, 0);
  assert.deepEqual(
    stage.asked().filter((path) => path.includes("blobs/sha256")),
    [],
  );
  assert.equal((await verified(stage, target, { offline: true })).differenceCount, 0);
});

test("what was changed in a directory is found with indexes as without", async () => {
  await using stage = await setStage(layered);
  const target = await unpackedThrough(stage);
  const rootfs = join(target, "rootfs");
  writeFileSync(join(rootfs, "srv/sparse"), "x", { flag: "r+" });
  writeFileSync(join(rootfs, "etc/replaced"), "2");
  rmSync(join(rootfs, "srv/top"));
  const withIndexes = await verified(stage, target, { offline: true });
  const without = await verified(stage, target, { index: false });
  assert.deepEqual(withIndexes.differences, without.differences);
  assert.ok(withIndexes.differenceCount >= 3);
});

test("a part of an image takes the layers that have something of it, and no others", async () => {
  await using stage = await setStage(layered);
  await stage.unpack();
  removeBlobs(stage, digests);
  for (const [include, expected] of third([
    [["etc/replaced"], [digests[1]]],
    [["opt/link"], [digests[0]]],
    [
      ["srv/base", "etc"],
      [digests[0], digests[1]],
    ],
    [["srv"], [digests[2]]],
    [["srv/base"], []],
  ] as const)) {
    removeBlobs(stage, digests);
    stage.asked();
    const selected = await treeOf(stage, { include });
    const asked = stage.asked().filter((path) => digests.some((digest) => path.includes(digest)));
    assert.deepEqual(
      asked.map((path) => path.slice(path.lastIndexOf("sha256:"))).sort(),
      [...expected].sort(),
      `${include}`,
    );
    assert.deepEqual(selected, await treeOf(stage, { include }, { index: false }), `${include}`);
  }
});

test("of a part that needs no data nothing is asked for offline", async () => {
  await using stage = await setStage(layered);
  await stage.unpack();
  removeBlobs(stage, digests);
  const { tree } = await treeOf(stage, { include: ["srv/base"] }, { offline: true });
  assert.ok("srv/base" in tree);
  await assert.rejects(treeOf(stage, { include: ["srv/top"] }, { offline: true }), { code: "NOT_FOUND" });
});

test("an archive of a part is the same with indexes as without, result and bytes", async () => {
  await using stage = await setStage(image(sampleLayers()));
  await stage.unpack();
  for (const include of third([["home", "sizes/65537"], ["bin/su3", "names"], ["**/hosts"]])) {
    const made = [await archived(stage, include, {}), await archived(stage, include, { index: false })];
    assert.deepEqual(made[0], made[1]);
  }
});

test("warnings and strictness are the same with indexes", async () => {
  await using stage = await setStage(image([tarWithoutEnd(file("a", "1")), tar(file("b", "2"))]));
  const target = await unpackedThrough(stage);
  const told = async (options: StoredSourceOptions) => {
    const codes: string[] = [];
    await using source = sourceOf(stage, options);
    const onEvent = (event: { readonly type: string; readonly code?: string }) => {
      if (event.type === "warning") codes.push(event.code ?? "");
    };
    await verify(target, stage.reference, { source, platform, onEvent });
    return codes;
  };
  assert.deepEqual(await told({}), ["MISSING_END_MARKER"]);
  assert.deepEqual(await told({ index: false }), ["MISSING_END_MARKER"]);
  await using source = sourceOf(stage, { offline: true });
  await assert.rejects(verify(target, stage.reference, { source, platform, strict: true }), {
    code: "STRICT_VIOLATION",
  });
});

test("a smaller limit for all bytes holds for layers of which the index is read", async () => {
  await using stage = await setStage(layered);
  const target = await unpackedThrough(stage);
  await using source = sourceOf(stage, { offline: true });
  const limits = { totalBytes: 100_000 };
  await assert.rejects(verify(target, stage.reference, { source, platform, limits }), { code: "LIMIT_EXCEEDED" });
});

for (const one of shareOf(5, fixtureImages())) {
  test(`${one.transport}:${one.name}, verified by its indexes, is what was unpacked`, async () => {
    await using place = await scratch();
    const name = `${one.transport}:${await writeFixture(one, place.directory)}`;
    const kept = store(join(place.directory, "store"));
    const target = join(place.directory, "target");
    const wishes = { platform: one.platform, owner: "ignore" } as const;
    {
      await using source = storedSource(sourceFor(name), kept);
      await unpack(name, target, { ...wishes, source });
    }
    const layers = readdirSync(join(kept.directory, "indexes"));
    assert.ok(layers.length > 0);
    await using source = storedSource(sourceFor(name), kept, { offline: true });
    assert.deepEqual((await verify(target, name, { ...wishes, source })).differences, []);
  });
}

function sourceOf({ store: kept }: Stage, options: StoredSourceOptions = {}): Source {
  return storedSource(registrySource({ retries: 0 }), kept, options);
}

let targets = 0;

function newTarget({ directory: place }: Stage): string {
  targets += 1;
  return join(place, `made-${targets}`);
}

async function unpackedThrough(stage: Stage, options: StoredSourceOptions = {}): Promise<string> {
  await using source = sourceOf(stage, options);
  const target = newTarget(stage);
  await unpack(stage.reference, target, { source, platform });
  return target;
}

async function verified(stage: Stage, target: string, options: StoredSourceOptions = {}): Promise<VerifyResult> {
  await using source = sourceOf(stage, options);
  return await verify(target, stage.reference, { source, platform });
}

async function treeOf(stage: Stage, wishes: UnpackOptions, options: StoredSourceOptions = {}) {
  await using source = sourceOf(stage, options);
  const { rootfs, entries, unpackedBytes, keptEntries } = await unpack(stage.reference, newTarget(stage), {
    ...wishes,
    source,
    platform,
  });
  return { tree: readTree(rootfs), entries, unpackedBytes, keptEntries };
}

async function archived(stage: Stage, include: readonly string[], options: StoredSourceOptions) {
  await using source = sourceOf(stage, options);
  const path = newTarget(stage);
  const {
    milliseconds: _time,
    file: _file,
    ...result
  } = await exportRootfs(stage.reference, path, {
    include,
    source,
    platform,
  });
  return { result, bytes: readFileSync(path) };
}

/** The diffIDs of the layers that have an index. */
function indexed({ store: { directory: place } }: Stage): readonly string[] {
  return namesIn(join(place, "indexes")).map((name) => name.replace("-", ":"));
}

function indexFiles({ store: { directory: place } }: Stage): readonly string[] {
  const folder = join(place, "indexes");
  return namesIn(folder).flatMap((layer) => namesIn(join(folder, layer)).map((name) => join(folder, layer, name)));
}

function temporaryIndexes({ store: { directory: place } }: Stage): readonly string[] {
  return namesIn(join(place, "ingest")).filter((name) => name.startsWith("index-"));
}

function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function removeBlobs({ store: { directory: place } }: Stage, blobs: readonly string[]): void {
  for (const blob of blobs) rmSync(join(place, "blobs", blob.replace(":", "/")), { force: true });
}
