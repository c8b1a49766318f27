import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import { IndexWriting } from "../../src/operation/index-writing.ts";
import { BlobStore } from "../../src/store/blob-store.ts";
import { StoreUse } from "../../src/store/store-use.ts";
import type { NumberedLayer } from "../../src/worker/messages.ts";
import { scratch } from "../support/scratch.ts";

test("indexes appear together, when all that was read is said to be right, and nothing is left of others", async () => {
  await using place = await scratch();
  await using use = new StoreUse(new BlobStore(place.directory), { isOffline: false, hasIndexes: true });
  const layers = ["one", "two", "three"].map(layerOf);
  {
    await using writing = await IndexWriting.begin(use, layers, {});
    await written(writing, [0, 1, 2]);
    assert.equal(existsSync(join(place.directory, "indexes")), false);
    assert.equal(temporary(place.directory).length, 2, "the last one is not complete");
    await writing?.keep();
  }
  const kept = layers.slice(0, 2).map(({ diffID = "" }) => diffID.replace(":", "-"));
  assert.deepEqual(readdirSync(join(place.directory, "indexes")).sort(), kept.sort());
  assert.deepEqual(temporary(place.directory), []);

  {
    await using again = await IndexWriting.begin(use, layers, {});
    assert.deepEqual(again?.layers, [2]);
    await written(again, [2]);
  }
  assert.deepEqual(temporary(place.directory), []);
  assert.equal(readdirSync(join(place.directory, "indexes")).length, 2);
});

function layerOf(content: string, number: number): NumberedLayer {
  const diffID: Digest = digestOf(Buffer.from(content));
  return { number, compression: "gzip", compressedBytes: 1, diffID };
}

/** Writes an index of each layer; that of the third is not complete. */
async function written(writing: IndexWriting | undefined, layers: readonly number[]): Promise<void> {
  for (const layer of layers) {
    await writing?.write(layer, Buffer.from(`index of ${layer}`));
    await writing?.end(layer, layer < 2);
  }
}

function temporary(directory: string): readonly string[] {
  return readdirSync(join(directory, "ingest"));
}
