import assert from "node:assert/strict";
import { utimes } from "node:fs/promises";
import { test } from "node:test";
import { defaultLimits } from "../../src/base/limits.ts";
import { sourceFor, storedSource, unpack } from "../../src/index.ts";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import { BlobStore } from "../../src/store/blob-store.ts";
import { namesWithConfig } from "../../src/store/names-with-config.ts";
import { type Image, image, stored } from "../support/image.ts";
import { file, tar } from "../support/tar-builder.ts";
import { type Stage, setStage } from "./stage.ts";

const wanted = image([tar(file("a", "1"))]);
const other = image([tar(file("a", "2"))]);

test("the names of an image are found by its configuration, the last used one first", async () => {
  await using stage = await setStage(wanted);
  const again = await kept(stage, "same/image", wanted);
  await kept(stage, "other/image", other);
  await stage.unpack();
  const store = new BlobStore(stage.store.directory);
  assert.deepEqual([...(await names(store, configOf(wanted)))].sort(), [again, stage.reference].sort());
  assert.deepEqual(await names(store, digestOf(Buffer.from("no configuration"))), []);
});

test("of images that were used longer ago nothing is read", async () => {
  await using stage = await setStage(wanted);
  await stage.unpack();
  const large = image(Array.from({ length: 20 }, (_, number) => tar(file("a", String(number)))));
  await kept(stage, "large/image", large);
  const size = wanted.manifest.descriptor.size;
  const store = new BlobStore(stage.store.directory, { ...defaultLimits, manifestBytes: size });
  const times = [
    [wanted, 1000],
    [large, 0],
  ] as const;
  for (const [{ manifest }, seconds] of times)
    await utimes(store.pathOf(manifest.descriptor.digest as Digest), seconds, seconds);
  for await (const name of namesWithConfig(store, configOf(wanted))) {
    assert.equal(name, stage.reference);
    break;
  }
  await assert.rejects(names(store, configOf(wanted)), { code: "LIMIT_EXCEEDED" });
});

async function names(store: BlobStore, config: Digest): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const name of namesWithConfig(store, config)) found.push(name);
  return found;
}

function configOf({ config }: Image): Digest {
  return config.descriptor.digest as Digest;
}

/** Unpacks another image through the store, and gives its name. */
async function kept(stage: Stage, repository: string, of: Image): Promise<string> {
  const reference = stored(stage.registry, repository, of);
  await using source = storedSource(sourceFor(reference), stage.store);
  await unpack(reference, `${stage.directory}/${repository.replace("/", "-")}`, { source });
  return reference;
}
