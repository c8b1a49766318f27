import assert from "node:assert/strict";
import { cp, utimes } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { exportRootfs, registrySource, type StoreEntry, store, storedSource } from "../../src/index.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { BlobStore } from "../../src/store/blob-store.ts";
import { pruneStore } from "../../src/store/prune.ts";
import { readNames, recordName, rememberName } from "../../src/store/stored-index.ts";
import { image, stored } from "../support/image.ts";
import { file, tar } from "../support/tar-builder.ts";
import { shareOf } from "../support/thorough.ts";
import { type Stage, setStage } from "./stage.ts";

// What changes a store is ended at any point. What it was about to do next is never done.

const older = image([tar(file("older", "x".repeat(9000)))], { encoding: "plain" });
const newer = image([tar(file("newer", "x".repeat(9000)))], { encoding: "plain" });
const ended = new Error("ended here");

/** A store that ends whoever works in it when a path is needed for the nth time. */
class EndingStore extends BlobStore {
  /** How many paths were needed. */
  count = 0;
  readonly #end: number;

  constructor(directory: string, end: number) {
    super(directory);
    this.#end = end;
  }

  override path(...names: readonly string[]): string {
    if (this.count === this.#end) throw ended;
    this.count += 1;
    return super.path(...names);
  }
}

/** Two images, of both of which there is an index and of the older one an output, which was used last. */
async function twoImages(): Promise<Stage> {
  const stage = await setStage(older);
  const name = stored(stage.registry, "newer/image", newer);
  await stage.unpack();
  await stage.unpack({ reference: name });
  await using source = storedSource(registrySource(), stage.store);
  const target = join(stage.directory, "tar");
  await exportRootfs(stage.reference, target, { source, keep: true, platform: "linux/amd64" });
  const when = new Date(0);
  await utimes(join(stage.store.directory, "blobs", older.manifest.descriptor.digest.replace(":", "/")), when, when);
  return stage;
}

/** What is in a store, without when it was used, and in an order that does not depend on that. */
async function contentsOf(directory: string): Promise<readonly Omit<StoreEntry, "lastUsed">[]> {
  const entries = (await store(directory).list()).map(({ lastUsed: _, ...rest }) => rest);
  return entries.sort((one, other) => (one.name ?? "").localeCompare(other.name ?? ""));
}

test("a prune that is ended at any point leaves a store in which all is right, and the next one goes on", async () => {
  await using stage = await twoImages();
  const { directory } = stage.store;
  const size = (await stage.store.list()).reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  const maxBytes = size - 8000;
  const once = join(stage.directory, "once");
  await cp(directory, once, { recursive: true, preserveTimestamps: true });
  const watched = new EndingStore(once, Number.POSITIVE_INFINITY);
  await pruneStore(watched, { maxBytes });
  const { count } = watched;
  const expected = await contentsOf(once);
  assert.equal((await readNames(new BlobStore(once))).length, 1, "the other image is only remembered now");

  const points = [...Array(count).keys()];
  for (const point of shareOf(20, points)) {
    const copy = join(stage.directory, `copy-${point}`);
    await cp(directory, copy, { recursive: true, preserveTimestamps: true });
    await assert.rejects(pruneStore(new EndingStore(copy, point), { maxBytes }), (error) => error === ended);
    const { missing, corrupt, damaged } = await store(copy).verify();
    assert.deepEqual([missing, corrupt, damaged], [[], [], []], `ended at ${point}`);
    await store(copy).prune({ maxBytes });
    assert.deepEqual(await contentsOf(copy), expected, `ended at ${point}`);
  }
});

test("whoever records a name and is ended at any point leaves what the name was before, or is now", async () => {
  await using stage = await twoImages();
  const { descriptor } = newer.manifest;
  const described = {
    mediaType: descriptor.mediaType,
    digest: descriptor.digest as Digest,
    sizeBytes: descriptor.size,
  };
  const before = await new BlobStore(stage.store.directory).sizes();
  for (const record of [rememberName, recordName]) {
    for (let point = 0; ; point += 1) {
      const working = new EndingStore(stage.store.directory, point);
      const isOver = await record(working, stage.reference, described).then(
        () => true,
        (error: unknown) => {
          assert.equal(error, ended);
          return false;
        },
      );
      const digests = (await stage.store.list()).flatMap(({ kind, name, digest }) =>
        kind === "image" && name === stage.reference ? [digest] : [],
      );
      assert.ok(digests.length > 0);
      for (const digest of digests) assert.ok(digest !== undefined && before.has(digest));
      if (isOver) break;
    }
  }
  const names = await readNames(new BlobStore(stage.store.directory));
  assert.deepEqual(names.find(({ name }) => name === stage.reference)?.descriptor.digest, descriptor.digest);
});
