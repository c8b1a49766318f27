import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { diff, type ImageDifference, unpack } from "../../src/index.ts";
import { readTree } from "../rules/real-tree.ts";
import { output } from "../support/command.ts";
import { type FixtureImage, fixtureImages, writeFixture } from "../support/fixture-images.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { scratch } from "../support/scratch.ts";
import { file, hardlink, tar, whiteout } from "../support/tar-builder.ts";
import { shareOf } from "../support/thorough.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { type ExpectedDifference, expectedDifferences } from "./expected.ts";

// Both images are unpacked, and the directories are compared, entry by entry.

const platform = "linux/amd64";

async function differencesOf(name1: string, name2: string, platforms = [platform, platform]) {
  const options = { platform: platforms[0] ?? platform, secondPlatform: platforms[1] ?? platform };
  const differences: ImageDifference[] = [];
  for await (const difference of diff(name1, name2, options)) differences.push(difference);
  return differences.map(asExpected);
}

function asExpected(difference: ImageDifference): ExpectedDifference {
  const { kind, path } = difference;
  return difference.kind === "changed" ? { kind, path, parts: difference.parts } : { kind, path };
}

const changed = tar(
  file("bin/wall", "#!/bin/echo wall\n", { mode: 0o2755, gid: 5 }),
  file("bin/news", "new"),
  hardlink("bin/news2", "bin/news"),
  whiteout("bin/su2"),
);

test("what umoci unpacks of two images differs as they do", {
  skip: skipUnlessRoot() || skipWithout("umoci"),
}, async () => {
  await using place = await scratch();
  const layout = join(place.directory, "layout");
  const images = [image(sampleLayers()), image([...sampleLayers().slice(0, 2), changed])];
  await writeImageLayout(
    layout,
    images.map((each, index) => ({ tag: `v${index}`, images: [each] })),
  );
  const trees = [];
  for (const tag of ["v0", "v1"]) {
    const bundle = join(place.directory, tag);
    await output("umoci", ["unpack", "--image", `${layout}:${tag}`, bundle]);
    trees.push(readTree(join(bundle, "rootfs")));
  }
  const [first = {}, second = {}] = trees;
  const expected = expectedDifferences(first, second);
  assert.ok(expected.length > 5);
  assert.deepEqual(await differencesOf(`oci:${layout}:v0`, `oci:${layout}:v1`), expected);
});

describe("images that other tools made differ as what is unpacked of them", { skip: skipUnlessRoot() }, () => {
  const fixtures = fixtureImages();
  const pairs = fixtures.slice(1).map((second, index) => [fixtures[index] as FixtureImage, second] as const);
  for (const [first, second] of shareOf(4, pairs)) {
    test(`${first.name} and ${second.name}`, async () => {
      await using place = await scratch();
      const names = [];
      const trees = [];
      for (const [index, fixture] of [first, second].entries()) {
        const name = `${fixture.transport}:${await writeFixture(fixture, place.directory)}`;
        const target = join(place.directory, String(index));
        await unpack(name, target, { platform: fixture.platform, devices: "create" });
        names.push(name);
        trees.push(readTree(join(target, "rootfs")));
      }
      const [one = {}, other = {}] = trees;
      const [name1 = "", name2 = ""] = names;
      const found = await differencesOf(name1, name2, [first.platform, second.platform]);
      assert.deepEqual(found, expectedDifferences(one, other));
    });
  }
});
