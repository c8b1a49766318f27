import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { diff, type ImageDifference } from "../../src/index.ts";
import type { Listing } from "../model/listing.ts";
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
import { type SkopeoSource, unpackedByUmoci } from "../support/umoci.ts";
import { type ExpectedDifference, expectedDifferences } from "./expected.ts";

// umoci unpacks both images, and the directories are compared, entry by entry.

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

const pairs = shareOf(14, pairsOf(fixtureImages()));

describe("images that other tools made differ as what umoci unpacks of them", {
  skip: skipUnlessRoot() || skipWithout("umoci", "skopeo"),
}, () => {
  const trees = new Map<FixtureImage, Promise<Listing>>();
  const treeOf = (fixture: FixtureImage) => {
    const tree = trees.get(fixture) ?? unpackedTree(fixture);
    trees.set(fixture, tree);
    return tree;
  };
  for (const [first, second] of pairs) {
    test(`${nameOf(first)} and ${nameOf(second)}`, async () => {
      await using place = await scratch();
      const [name1, name2] = [await writtenIn(place.directory, first), await writtenIn(place.directory, second)];
      const found = await differencesOf(name1, name2, [first.platform, second.platform]);
      assert.deepEqual(found, expectedDifferences(await treeOf(first), await treeOf(second)));
    });
  }
});

/** Each with each, and with itself. */
function pairsOf(fixtures: readonly FixtureImage[]) {
  return fixtures.flatMap((first, index) => fixtures.slice(index).map((second) => [first, second] as const));
}

function nameOf({ name, transport }: FixtureImage): string {
  return `${transport}:${name}`;
}

async function writtenIn(directory: string, fixture: FixtureImage): Promise<SkopeoSource> {
  return `${fixture.transport}:${await writeFixture(fixture, directory)}`;
}

async function unpackedTree(fixture: FixtureImage): Promise<Listing> {
  await using place = await scratch();
  return readTree(await unpackedByUmoci(await writtenIn(place.directory, fixture), place.directory));
}
