import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { registrySource, sourceFor, store, storedSource } from "../../src/index.ts";
import { failure, oneImage, puller } from "../source/pulling.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { described, type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { answer, closeAfter, type Fault, stating, withBody } from "../support/registry-reply.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";

const blobs = /blobs/;
const part = { offset: 1000, length: 5000 };

function endpoint({ url }: RegistryDouble) {
  return { baseUrl: `${url}/v2`, resolvesTags: true, servesDigests: true };
}

function wanted(content: Buffer): Buffer {
  return content.subarray(part.offset, part.offset + part.length);
}

test("a part of a blob is asked for by its ends, over the connection that is there, and goes on where it broke off", async () => {
  await using one = await oneImage();
  await using client = puller();
  const image = client.image(one.name);
  await image.manifest();
  one.registry.next(blobs, closeAfter(2000));
  const bytes = await buffer(image.blob(described(one.layer), part));
  assert.equal(Buffer.compare(bytes, wanted(one.content)), 0);
  await buffer(image.blob(described(one.layer), { offset: 0, length: 10 }));
  const asked = one.registry.requests.filter(({ path }) => blobs.test(path));
  assert.deepEqual(
    asked.map(({ headers }) => headers.range),
    ["bytes=1000-5999", "bytes=3000-5999", "bytes=0-9"],
  );
  assert.equal(asked[1]?.connection, asked[2]?.connection);
});

test("R-52: a part that is not the one that was asked for is an error, and its host is asked for no other", async () => {
  const lies: Record<string, Fault> = {
    "the whole": answer(200, {}, Buffer.alloc(100_000)),
    "another part": stating({ "content-range": "bytes 1001-6000/100000" }),
    "of something else": stating({ "content-range": "bytes 1000-5999/90000" }),
    "does not say which": stating({ "content-range": undefined }),
    compressed: stating({ "content-encoding": "gzip" }),
    "of another length": stating({ "content-length": "4999" }),
    "no such part": answer(416),
    longer: (reply, request) =>
      stating({ "content-length": undefined })(
        withBody((body) => Buffer.concat([body, body]))(reply, request),
        request,
      ),
  };
  for (const [name, lie] of Object.entries(lies)) {
    await using one = await oneImage();
    await using client = puller();
    const image = client.image(one.name);
    one.registry.next(blobs, lie);
    const error = await failure(buffer(image.blob(described(one.layer), part)));
    assert.ok(["REGISTRY_ERROR", "SIZE_MISMATCH"].includes(error.code), `${name}: ${error.code}`);
    if (error.code === "REGISTRY_ERROR")
      await assert.rejects(buffer(image.blob(described(one.layer), { offset: 0, length: 1 })), {
        code: "REGISTRY_ERROR",
      });
    assert.equal(one.registry.requests.filter(({ path }) => blobs.test(path)).length, 1, name);
    assert.equal(Buffer.compare(await buffer(image.blob(described(one.layer))), one.content), 0, name);
  }
});

test("a part comes from the next mirror where the first one does not send it", async () => {
  await using one = await oneImage();
  await using mirror = await startRegistry({ content: one.registry.content });
  mirror.always(blobs, answer(404));
  await using client = puller({ endpoints: async () => [endpoint(mirror), endpoint(one.registry)] });
  const bytes = await buffer(client.image(one.name).blob(described(one.layer), part));
  assert.equal(Buffer.compare(bytes, wanted(one.content)), 0);
  assert.equal(mirror.requests.length, 1);
});

test("a store passes a part on and does not keep it, and reads it where it has the blob", async () => {
  await using place = await scratch();
  await using one = await oneImage();
  await using source = storedSource(registrySource(), store(place.directory));
  const stored = source.image(one.name);
  await stored.manifest();
  for (let round = 0; round < 2; round += 1) await buffer(stored.blob(described(one.layer), part));
  assert.equal(one.registry.requests.filter(({ headers }) => headers.range !== undefined).length, 2);
  await buffer(stored.blob(described(one.layer)));
  const before = one.registry.requests.length;
  assert.equal(Buffer.compare(await buffer(stored.blob(described(one.layer), part)), wanted(one.content)), 0);
  assert.equal(one.registry.requests.length, before);
});

test("files on this machine give the part alone", async () => {
  await using place = await scratch();
  const content = Buffer.from(Array.from({ length: 60_000 }, (_, index) => index % 251));
  const built = image([tar(file("etc/large", content))], { encoding: "plain" });
  const [layer] = built.layers;
  assert.ok(layer !== undefined);
  await writeImageLayout(join(place.directory, "layout"), [{ tag: "a", images: [built] }]);
  execFileSync("tar", ["-C", join(place.directory, "layout"), "-cf", join(place.directory, "archive.tar"), "."]);
  const whole = Buffer.from(layer.bytes);
  for (const name of [
    `oci:${join(place.directory, "layout")}:a`,
    `oci-archive:${join(place.directory, "archive.tar")}:a`,
  ]) {
    await using source = sourceFor(name);
    const bytes = await buffer(source.image(name).blob(described(layer.descriptor), part));
    assert.equal(Buffer.compare(bytes, wanted(whole)), 0, name);
  }
});
