import assert from "node:assert/strict";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import { BlobStore } from "../../src/store/blob-store.ts";
import { PartialBlob } from "../../src/store/partial-blob.ts";
import { scratch } from "../support/scratch.ts";

const content = Buffer.from("content");
const digest = digestOf(content);

/** A blob of which all has come. */
async function arrived(store: BlobStore): Promise<PartialBlob> {
  await mkdir(store.path("ingest"), { recursive: true });
  const part = await PartialBlob.open(store, digest);
  await part.append(content);
  return part;
}

test("a blob that is complete can be read, and written to no more", async () => {
  await using place = await scratch();
  const store = new BlobStore(place.directory);
  await using part = await arrived(store);
  await part.publish();
  assert.deepEqual(await readFile(store.pathOf(digest)), content);
  assert.equal((await stat(store.pathOf(digest))).mode & 0o777, 0o444);
});

test("as long as a blob has no place in the store, the next process can go on with it", async () => {
  await using place = await scratch();
  const store = new BlobStore(place.directory);
  await writeFile(store.path("blobs"), "in the way");
  {
    await using part = await arrived(store);
    await assert.rejects(part.publish(), { code: "FILE_SYSTEM" });
  }
  assert.equal((await stat(store.partPathOf(digest))).mode & 0o777, 0o600 & ~process.umask());
  await using part = await PartialBlob.open(store, digest);
  assert.equal(part.sizeBytes, content.length);
});
