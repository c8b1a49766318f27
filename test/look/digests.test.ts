import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { test } from "node:test";
import { type ListOptions, list, unpack } from "../../src/index.ts";
import { fixtureImages, writeFixture } from "../support/fixture-images.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { directory, fifo, file, hardlink, symlink, tar, whiteout } from "../support/tar-builder.ts";
import { sparseOldGnu, sparsePax10 } from "../support/tar-sparse.ts";
import { third } from "../support/thorough.ts";
import { readTree } from "../support/tree.ts";

const platform = "linux/amd64";

function sha256(content: string | Uint8Array): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

async function setStage(layers: readonly Uint8Array[]): Promise<Scratch & { readonly name: string }> {
  const place = await scratch();
  const layout = join(place.directory, "layout");
  await writeImageLayout(layout, [{ tag: "x", images: [image(layers)] }]);
  return { ...place, name: `oci:${layout}:x` };
}

/** The digests in a listing by path; of what has none, its type. */
async function digests(name: string, path: string, options: ListOptions = {}) {
  const { entries } = await list(name, path, { platform, digest: true, ...options });
  return Object.fromEntries(entries.map((entry) => [entry.path, entry.digest ?? entry.type]));
}

/** The digests of the files of an image once it is unpacked, by path. */
async function unpackedDigests(name: string, place: string, options: { readonly platform: string }) {
  const { rootfs } = await unpack(name, join(place, "unpacked"), { ...options, devices: "skip" });
  const tree = Object.entries(readTree(rootfs)).filter(([, { type }]) => type === "file");
  return new Map(tree.map(([path, { content }]) => [path, content]));
}

test("a listing has the digest of every regular file, whichever layer and name it has", async () => {
  const lower = tar(file("a", "one"), file("gone", "two"), directory("d"), symlink("s", "a"), fifo("p"));
  const upper = tar(
    directory("d"),
    hardlink("d/b", "a"),
    whiteout("gone"),
    file("empty"),
    file("d/large", "x".repeat(300_000)),
  );
  await using stage = await setStage([lower, upper]);
  const large = sha256("x".repeat(300_000));
  assert.deepEqual(await digests(stage.name, "/", { recursive: true }), {
    a: sha256("one"),
    d: "directory",
    "d/b": sha256("one"),
    "d/large": large,
    empty: sha256(""),
    p: "fifo",
    s: "symlink",
  });
  assert.deepEqual(await digests(stage.name, "d/large"), { "d/large": large });
});

test("no more layers are read for a digest than for the listing", async () => {
  await using stage = await setStage([tar(file("a", "one")), tar(file("b", "two"), file("c", "three"))]);
  const { entries, readLayers } = await list(stage.name, "c", { platform, digest: true });
  assert.deepEqual([entries[0]?.digest, readLayers], [sha256("three"), 1]);
});

test("without being asked for, there is none", async () => {
  await using stage = await setStage([tar(file("a", "one"))]);
  const { entries } = await list(stage.name, "/", { platform });
  assert.equal("digest" in (entries[0] ?? {}), false);
});

test("the digest of a sparse file is that of the whole file, holes being zeros", async () => {
  const runs = [
    { offset: 5, content: "data" },
    { offset: 100_000, content: "more" },
  ];
  const whole = Buffer.alloc(600_000);
  for (const { offset, content } of runs) whole.write(content, offset);
  const holed = { runs, size: whole.length };
  await using stage = await setStage([
    tar(sparsePax10("pax", holed), sparseOldGnu("gnu", holed), sparsePax10("hole", { runs: [], size: 10 })),
  ]);
  assert.deepEqual(await digests(stage.name, "/"), {
    gnu: sha256(whole),
    hole: sha256(Buffer.alloc(10)),
    pax: sha256(whole),
  });
});

test("a sparse file whose holes are too large has no digest, and takes no time", async () => {
  await using stage = await setStage([
    tar(sparsePax10("vast", { runs: [{ offset: 2 ** 42, content: "x" }], size: 2 ** 42 + 1 }), file("a", "one")),
  ]);
  assert.deepEqual(await digests(stage.name, "/"), { a: sha256("one"), vast: "file" });
});

test("what digests take is within memoryBytes", async () => {
  await using stage = await setStage([tar(...Array.from({ length: 300 }, (_, n) => file(`${n}`, "1")))]);
  const options = { platform, digest: true, limits: { memoryBytes: 178_000 } };
  await assert.rejects(list(stage.name, "/", options), { code: "LIMIT_EXCEEDED" });
  assert.equal((await list(stage.name, "/", { ...options, digest: false })).entries.length, 300);
});

test("the digests are those that the files of an unpacked image have", async () => {
  await using stage = await setStage(sampleLayers());
  const wanted = await unpackedDigests(stage.name, stage.directory, { platform });
  await assertDigests(stage.name, wanted, { platform });
});

for (const each of third(fixtureImages())) {
  test(`the digests are those that the files of an unpacked image have: ${each.transport}:${each.name}`, async () => {
    await using place = await scratch();
    const name = `${each.transport}:${await writeFixture(each, place.directory)}`;
    const wanted = await unpackedDigests(name, place.directory, { platform: each.platform });
    await assertDigests(name, wanted, { platform: each.platform });
  });
}

async function assertDigests(
  name: string,
  wanted: ReadonlyMap<string, string | undefined>,
  options: ListOptions,
): Promise<void> {
  const { entries } = await list(name, "/", { ...options, recursive: true, digest: true });
  const files = entries.filter(({ type }) => type === "file");
  const bytesOf = ({ path, pathBase64 }: (typeof files)[number]) =>
    (pathBase64 === undefined ? Buffer.from(path) : Buffer.from(pathBase64, "base64")).toString("latin1");
  assert.deepEqual(new Map(files.map((entry) => [bytesOf(entry), entry.digest])), wanted);
  assert.ok(files.length > 0);
}
