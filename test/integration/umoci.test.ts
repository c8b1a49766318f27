import assert from "node:assert/strict";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type DockerRegistry, dockerRegistry } from "../support/docker-registry.ts";
import { fixtureImages, writeFixture } from "../support/fixture-images.ts";
import { encodings, image, imageIndex } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { ociUnpack } from "../support/oci-unpack.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { directory, file, tar } from "../support/tar-builder.ts";
import { half, shareOf, third } from "../support/thorough.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { readTree } from "../support/tree.ts";
import { type Difference, differences } from "../support/tree-differences.ts";
import { type PushOptions, pushed, type SkopeoSource, unpackedByUmoci } from "../support/umoci.ts";
import { disagreements } from "./umoci-disagreements.ts";

// The real command against the real counterparts: a registry that is Debian's docker-registry, filled by skopeo, from
// which umoci and we unpack the same images; both trees are read by the same reader and compared field by field.

const skip = skipUnlessRoot() || skipWithout("docker-registry", "skopeo", "umoci", "zstd");

describe("oci-unpack and umoci make the same tree", { skip }, () => {
  let place: Scratch;
  let registry: DockerRegistry;

  before(async () => {
    place = await scratch();
    registry = await dockerRegistry();
    await writeSamples(join(place.directory, "layout"));
  });
  after(async () => {
    await registry[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  for (const encoding of third(encodings)) {
    test(`of four layers stored as ${encoding}`, () => compareLayout(encoding));
  }
  test("of an image with Docker's media types", () => compareLayout("gzip", { docker: true }));
  test("of the image for this platform in an index of several", () => compareLayout("index", { all: true }));
  test("of an image without layers", () => compareLayout("empty"));

  for (const fixture of shareOf(5, fixtureImages())) {
    const { name, transport, platform } = fixture;
    test(`of ${name} as ${transport}`, async () => {
      const archive = await writeFixture(fixture, place.directory);
      await compare(`${transport}:${archive}`, { preserve: transport === "oci-archive" }, platform);
    });
  }

  for (const { rule, title, expected } of half(disagreements)) {
    test(`but for ${title} (${rule})`, async () => {
      const found = await differencesOf(`oci:${join(place.directory, "layout")}:${rule}`);
      const fields = found.map(({ path, field, ours }) => ({ path, field, ours }));
      assert.deepEqual(fields, expected);
    });
  }

  function compareLayout(tag: string, options?: PushOptions): Promise<void> {
    return compare(`oci:${join(place.directory, "layout")}:${tag}`, options);
  }

  async function compare(source: SkopeoSource, options?: PushOptions, platform?: string): Promise<void> {
    assert.deepEqual(await differencesOf(source, options, platform), []);
  }

  async function differencesOf(
    source: SkopeoSource,
    options?: PushOptions,
    platform = "linux/amd64",
  ): Promise<readonly Difference[]> {
    const own = await mkdtemp(join(place.directory, "compared-"));
    const reference = `${registry.host}/compared/image:latest`;
    await pushed(source, reference, options);
    const args = ["--quiet", "--platform", platform, "--sandbox", "require"];
    const outcome = await ociUnpack([...args, reference, join(own, "ours")]);
    assert.deepEqual(outcome, { status: 0, signal: undefined, stdout: "", stderr: "" });
    const theirs = readTree(await unpackedByUmoci(`docker://${reference}`, own));
    assert.ok(Object.keys(theirs).length > 0);
    return differences(readTree(join(own, "ours/rootfs")), theirs);
  }
});

async function writeSamples(layout: string): Promise<void> {
  const layers = sampleLayers();
  const other = image([tar(directory("./"), file("elsewhere"))], { platform: { os: "linux", architecture: "s390x" } });
  const index = imageIndex([other, image(layers)]);
  await writeImageLayout(layout, [
    ...encodings.map((encoding) => ({ tag: encoding, images: [image(layers, { encoding })] })),
    { tag: "index", images: [other, image(layers)], index },
    { tag: "empty", images: [image([])] },
    ...disagreements.map(({ rule, layers }) => ({ tag: rule, images: [image(layers)] })),
  ]);
}
