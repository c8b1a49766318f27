import assert from "node:assert/strict";
import { test } from "node:test";
import type { Document, ImageSource } from "../../src/blob/image-source.ts";
import { WrappedImage } from "../../src/blob/wrapped-image.ts";
import type { Digest } from "../../src/oci/digest.ts";

const digest = `sha256:${"1".repeat(64)}` as Digest;
const described = { mediaType: "x/y", digest, sizeBytes: 3 };
const options = { offset: 2 };
const told: unknown[] = [];

const image: Required<ImageSource> = {
  name: "example.com/app:1",
  digest,
  attachments: { isOffline: true },
  location: { transport: "docker-archive" },
  parallelBlobs: 7,
  async manifest(...args): Promise<Document> {
    told.push(args);
    return { mediaType: "x/y", bytes: Buffer.from("document") };
  },
  async *blob(...args) {
    told.push(args);
    yield Buffer.from("blob");
  },
  alternatives(...args) {
    told.push(args);
    return 5;
  },
};

test("a wrapped image passes on all that it is asked", async () => {
  const wrapped = new WrappedImage(image);
  for (const member of ["name", "digest", "attachments", "location", "parallelBlobs"] as const)
    assert.equal(wrapped[member], image[member]);
  const signal = new AbortController().signal;
  assert.equal((await wrapped.manifest(described, { signal })).bytes.toString(), "document");
  for await (const chunk of wrapped.blob(described, options)) assert.equal(chunk.toString(), "blob");
  assert.equal(wrapped.alternatives(described), 5);
  assert.deepEqual(told, [[described, { signal }], [described, options], [described]]);
});

test("what an image does not have, a wrapped one does not have either", () => {
  const { name, manifest, blob } = image;
  const wrapped = new WrappedImage({ name, manifest, blob });
  for (const member of ["digest", "attachments", "location", "parallelBlobs"] as const)
    assert.equal(wrapped[member], undefined);
  assert.equal(wrapped.alternatives(described), 0);
});
