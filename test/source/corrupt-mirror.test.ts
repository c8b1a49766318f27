import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { OciUnpackError } from "../../src/base/errors.ts";
import type { Source } from "../../src/blob/image-source.ts";
import { copy } from "../../src/copy/copy.ts";
import { exportRootfs } from "../../src/export/export.ts";
import { registrySource } from "../../src/registry/registry.ts";
import { store } from "../../src/store/store.ts";
import { storedSource } from "../../src/store/stored-source.ts";
import { unpack } from "../../src/unpack/unpack.ts";
import { type Image, image, stored } from "../support/image.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { type Fault, withBody } from "../support/registry-reply.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { distinctBytes, failure } from "./pulling.ts";

const layers = [1, 2, 3];
const contents = new Map(layers.map((layer) => [`file-${layer}`, distinctBytes(6_000_000, layer)]));
const archives = [...contents].map(([name, content]) => tar(file(name, content)));

/** One byte in the middle is another: gzip finds out at its end, a plain archive never. */
const corrupt: Fault = withBody((body) => {
  const changed = Buffer.from(body);
  changed.writeUInt8(changed.readUInt8(body.length >> 1) ^ 1, body.length >> 1);
  return changed;
});

interface Fleet {
  readonly origin: RegistryDouble;
  readonly mirror: RegistryDouble;
  readonly image: Image;
  readonly name: string;
  readonly directory: string;
  readonly source: Source;
}

const images: Readonly<Record<"gzip" | "plain", Image>> = {
  gzip: image(archives, { encoding: "gzip" }),
  plain: image(archives, { encoding: "plain" }),
};

/** An image at a registry, and at a mirror that is asked first. */
async function withFleet(encoding: keyof typeof images, work: (fleet: Fleet) => Promise<void>): Promise<void> {
  await using temporary = await scratch();
  await using origin = await startRegistry();
  await using mirror = await startRegistry();
  const one = images[encoding];
  const name = stored(origin, "a/b", one);
  stored(mirror, "a/b", one);
  await using source = registrySource({
    endpoints: async () =>
      [mirror, origin].map(({ url }) => ({ baseUrl: `${url}/v2`, resolvesTags: true, servesDigests: true })),
  });
  await work({ origin, mirror, image: one, name, directory: temporary.directory, source });
}

const platform = "linux/amd64";

async function assertUnpacked(rootfs: string): Promise<void> {
  assert.deepEqual(await readdir(rootfs), [...contents.keys()]);
  for (const [name, content] of contents) assert.ok(content.equals(await readFile(join(rootfs, name))), name);
}

function blobsAsked({ requests }: RegistryDouble): string[] {
  return requests.flatMap(({ path }) => /blobs\/(.*)/.exec(path)?.[1] ?? []);
}

for (const [encoding, threads] of [
  ["gzip", 1],
  ["gzip", 4],
  ["plain", 4],
] as const) {
  test(`R-61, R-73: long layers (${encoding}, ${threads} threads) that are corrupt at a mirror come from the registry, each once`, async () => {
    await withFleet(encoding, async ({ mirror, origin, image, name, directory, source }) => {
      mirror.always(/blobs/, corrupt);
      const { rootfs } = await unpack(name, join(directory, "out"), { platform, source, threads });
      await assertUnpacked(rootfs);
      const digests = [image.config, ...image.layers].map(({ descriptor }) => descriptor.digest).sort();
      assert.deepEqual(blobsAsked(mirror).sort(), digests);
      assert.deepEqual(blobsAsked(origin).sort(), digests);
    });
  });
}

test("R-61: of a mirror's layers only the corrupt one comes from the registry, whichever it is", async () => {
  for (const number of layers.keys()) {
    await withFleet("gzip", async ({ mirror, origin, image, name, directory, source }) => {
      const { digest = "" } = image.layers[number]?.descriptor ?? {};
      mirror.always(new RegExp(digest), corrupt);
      const { rootfs } = await unpack(name, join(directory, "out"), { platform, source });
      await assertUnpacked(rootfs);
      assert.deepEqual(blobsAsked(origin), [digest]);
    });
  }
});

test("R-61: mirrors at one host are as many places as they have paths", async () => {
  await using temporary = await scratch();
  await using server = await startRegistry();
  const short = image([tar(file("short", "text"))]);
  for (const [what, one] of Object.entries({ short, long: images.plain })) {
    const name = stored(server, `${what}/image`, one);
    stored(server, `mirror/${what}/image`, one);
    await using source = registrySource({
      endpoints: async () =>
        ["/v2/mirror", "/v2"].map((path) => ({
          baseUrl: `${server.url}${path}`,
          resolvesTags: true,
          servesDigests: true,
        })),
    });
    server.always(/mirror\/.*\/blobs/, corrupt);
    const { skipped } = await unpack(name, join(temporary.directory, what), { platform, source });
    assert.deepEqual(skipped, []);
  }
});

test("R-61: a store keeps what the registry had, and nothing of the corrupt mirror's", async () => {
  await withFleet("gzip", async ({ mirror, name, directory, source }) => {
    mirror.always(/blobs/, corrupt);
    const kept = store(join(directory, "store"));
    await using storing = storedSource(source, kept);
    const { rootfs } = await unpack(name, join(directory, "out"), { platform, source: storing });
    await assertUnpacked(rootfs);
    const { corrupt: wrong, missing } = await kept.verify();
    assert.deepEqual([wrong, missing], [[], []]);
  });
});

test("R-61: copies and exports are made of what the registry has", async () => {
  await withFleet("gzip", async ({ mirror, name, directory, source }) => {
    mirror.always(/blobs/, corrupt);
    await copy(name, join(directory, "layout"), { platform, source });
    const { rootfs } = await unpack(`oci:${join(directory, "layout")}`, join(directory, "out"), { platform });
    await assertUnpacked(rootfs);
  });
  await withFleet("gzip", async ({ mirror, name, directory, source }) => {
    mirror.always(/blobs/, corrupt);
    const { entries } = await exportRootfs(name, join(directory, "out.tar"), { platform, source });
    assert.equal(entries, layers.length);
  });
});

test("R-61, R-62: layers that are corrupt everywhere are one error that names the last place, and nothing is left", async () => {
  await withFleet("gzip", async ({ mirror, origin, name, directory, source }) => {
    for (const one of [mirror, origin]) one.always(/blobs/, (reply, request) => largeOnly(reply, request));
    const error: OciUnpackError = await failure(unpack(name, join(directory, "out"), { platform, source }));
    assert.equal(error.code, "DIGEST_MISMATCH");
    assert.ok(error.message.includes(`: ${origin.host} sends `), error.message);
    assert.deepEqual(await readdir(directory), []);
  });
});

const largeOnly: Fault = (reply, request) => (reply.body.length > 1_000_000 ? corrupt(reply, request) : reply);
