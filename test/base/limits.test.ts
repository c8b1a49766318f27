import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { defaultLimits, isOciUnpackError, type Limits, unpack } from "../../src/index.ts";
import { zstdFrame } from "../rules/compressed.ts";
import { blob, type Image, image, imageIndex, stored } from "../support/image.ts";
import { startRegistry } from "../support/registry-double.ts";
import { scratch } from "../support/scratch.ts";
import { directory, file, pax, tar } from "../support/tar-builder.ts";
import { joined } from "../support/tar-header.ts";
import { sparsePax10 } from "../support/tar-sparse.ts";

/** For each limit a value, and an image that is above it. */
const above: Readonly<Partial<Record<keyof Limits, readonly [value: number, image: Image]>>> = {
  manifestBytes: [100, image([])],
  configBytes: [100, image([])],
  layers: [1, image([tar(file("a")), tar(file("b"))])],
  downloadBytes: [50, image([tar(file("a", "1"))])],
  totalBytes: [5000, image([tar(file("a", new Uint8Array(3000))), tar(file("b", new Uint8Array(3000)))])],
  expansionRatio: [100, image([tar(file("a", new Uint8Array(70 * 1024 * 1024)))])],
  fileBytes: [10, image([tar(file("a", "more than ten bytes"))])],
  apparentFileBytes: [1000, image([tar(sparsePax10("a", { runs: [{ offset: 0, content: "x" }], size: 1001 }))])],
  entries: [2, image([tar(file("a"), file("b")), tar(file("c"))])],
  pathBytes: [10, image([tar(file("eleven/long"))])],
  pathDepth: [3, image([tar(directory("a/b/c/d"))])],
  headerBytes: [100, image([tar(pax({ comment: "x".repeat(100) }), file("a"))])],
  xattrBytes: [100, image([tar(file("a", "", { xattrs: { "user.a": "x".repeat(100) } }))])],
  sparseSegments: [1, image([tar(sparsePax10("a", { runs: twoRuns(), size: 4096 }))])],
  trailingBytes: [100, image([joined(tar(file("a")), "x".repeat(101))])],
  zstdWindowLog: [16, zstdImage(tar(file("a")))],
};

/**
 * These end with no error here: one is how much is done at once, layers are merged in memory for other outputs only,
 * signatures are looked for where one is demanded (test/trust), and a layer whose table of contents is too large is read
 * whole (test/table).
 */
const notHere: readonly (keyof Limits)[] = [
  "parallelDownloads",
  "memoryBytes",
  "referrers",
  "referrersPages",
  "referrersBytes",
  "signatures",
  "signatureBytes",
  "tableBytes",
  "tableEntries",
];

describe("an image above a limit is refused by the limit's name, and nothing of it is left:", () => {
  for (const [name, [value, tooMuch]] of Object.entries(above)) {
    test(name, async () => {
      await using registry = await startRegistry();
      await assertRefused(stored(registry, "some/image", tooMuch), name, value);
    });
  }

  test("indexDepth", async () => {
    await using registry = await startRegistry();
    const inner = image([]);
    const index = imageIndex([inner]);
    stored(registry, "some/image", inner);
    registry.addManifest("some/image", "latest", index.bytes, index.descriptor.mediaType);
    await assertRefused(`${registry.host}/some/image:latest`, "indexDepth", 0);
  });

  test("and there are no others", () => {
    const named = [...Object.keys(above), "indexDepth", ...notHere];
    assert.deepEqual(named.sort(), Object.keys(defaultLimits).sort());
  });
});

test("whoever trusts an image may raise a limit, for its manifest too", async () => {
  await using registry = await startRegistry();
  await using place = await scratch();
  const large = image([tar(file("a"))]);
  const manifest = JSON.parse(Buffer.from(large.manifest.bytes).toString());
  const padded = { ...manifest, annotations: { padding: "x".repeat(defaultLimits.manifestBytes) } };
  stored(registry, "some/image", large);
  registry.addManifest("some/image", "latest", padded, large.manifest.descriptor.mediaType);
  const reference = `${registry.host}/some/image:latest`;
  await assertRefused(reference, "manifestBytes");
  const limits = { manifestBytes: 2 * defaultLimits.manifestBytes };
  const { entries } = await unpack(reference, join(place.directory, "image"), { platform: "linux/amd64", limits });
  assert.equal(entries, 1);
});

async function assertRefused(reference: string, limit: string, value?: number): Promise<void> {
  await using place = await scratch();
  const limits = value === undefined ? {} : { [limit]: value };
  await assert.rejects(
    unpack(reference, join(place.directory, "image"), { platform: "linux/amd64", limits }),
    (error) => isOciUnpackError(error, "LIMIT_EXCEEDED") && `${error.message} ${error.hint}`.includes(limit),
  );
  assert.deepEqual(readdirSync(place.directory), []);
}

function twoRuns() {
  return [0, 2048].map((offset) => ({ offset, content: "x" }));
}

function zstdImage(archive: Uint8Array): Image {
  const layers = [blob("application/vnd.oci.image.layer.v1.tar+zstd", zstdFrame(archive, 17))];
  return image([archive], { layers });
}
