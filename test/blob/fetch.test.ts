import assert from "node:assert/strict";
import { test } from "node:test";
import { LayerFetch } from "../../src/blob/fetch.ts";
import { digestOf } from "../../src/oci/digest.ts";
import type { ImageSource } from "../../src/source/source.ts";
import { scratch } from "../support/scratch.ts";

test("no more blobs are downloaded at a time than parallelDownloads", async () => {
  await using place = await scratch();
  const blobs = Array.from({ length: 7 }, (_, n) => Buffer.from(`blob ${n}`));
  const layers = blobs.map((bytes) => ({ mediaType: "", digest: digestOf(bytes), sizeBytes: bytes.length }));
  let running = 0;
  let most = 0;
  const source: Pick<ImageSource, "name" | "blob" | "manifest"> = {
    name: "some/image",
    manifest: () => assert.fail("only blobs are asked for"),
    async *blob({ digest }) {
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      yield blobs.find((bytes) => digestOf(bytes) === digest) ?? assert.fail(digest);
      running -= 1;
    },
  };
  const { directory } = place;
  await using fetch = new LayerFetch(source, layers, { parallelDownloads: 3, directory, onProgress: () => {} });

  await fetch.run(new AbortController().signal);

  assert.deepEqual([most, running], [3, 0]);
});
