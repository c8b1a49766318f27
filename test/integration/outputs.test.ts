import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import {
  type CopyForm,
  copy,
  type ExportForm,
  exportRootfs,
  type OverlayKind,
  unpack,
  unpackOverlay,
} from "../../src/index.ts";
import { kept } from "../export/kept.ts";
import type { Listing } from "../model/listing.ts";
import { readTree } from "../rules/real-tree.ts";
import { output } from "../support/command.ts";
import { type DockerRegistry, dockerRegistry } from "../support/docker-registry.ts";
import { fixtureImages, writeFixture } from "../support/fixture-images.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { type Mount, mounted } from "../support/mounted.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { shareOf } from "../support/thorough.ts";
import { skipUnlessMounting } from "../support/tools.ts";
import { pushed, type SkopeoSource } from "../support/umoci.ts";

// Images in Debian's docker-registry become every output there is. Each is looked at with what it is made for, and must
// have the same tree as the directory.

const skip = skipUnlessMounting("docker-registry", "skopeo", "tar", "mkfs.erofs", "sqfstar", "mke2fs");

/** An image in a registry, and what a directory made of it is like. */
interface Served {
  readonly reference: string;
  readonly platform: string;
  readonly tree: Listing;
  /** A path that nothing has yet. */
  path(): Promise<string>;
}

/** An output as the tool for it shows it, or as the kernel will, and what it should show. */
interface Comparison {
  readonly shown: Listing | Mount;
  readonly wanted: Listing;
}

const outputs: Readonly<Record<string, (served: Served) => Promise<Comparison>>> = {
  bundle: async ({ reference, platform, tree, path }) => {
    const { rootfs } = await unpack(reference, await path(), { platform, bundle: true });
    return { shown: readTree(rootfs), wanted: tree };
  },
  "overlay, privileged": (served) => overlaid(served, "privileged"),
  "overlay, userxattr": (served) => overlaid(served, "userxattr"),
  tar: async ({ reference, platform, tree, path }) => {
    const { file = "" } = await exportRootfs(reference, await path(), { platform });
    const root = await path();
    await mkdir(root);
    const args = ["-xf", file, "--numeric-owner", "--xattrs", "--xattrs-include=*", "-C", root];
    execFileSync("tar", args, { stdio: "pipe" });
    return { shown: readTree(root), wanted: tree };
  },
  erofs: (served) => fileSystem(served, "erofs"),
  squashfs: (served) => fileSystem(served, "squashfs"),
  ext4: (served) => fileSystem(served, "ext4"),
  layout: (served) => copied(served, "layout"),
  "oci-archive": (served) => copied(served, "oci-archive"),
  "docker-archive": (served) => copied(served, "docker-archive"),
};

async function overlaid({ reference, platform, tree, path }: Served, overlay: OverlayKind): Promise<Comparison> {
  const { layerDirectories: layers, warnings } = await unpackOverlay(reference, await path(), { platform, overlay });
  const empty = await path();
  await mkdir(empty);
  const lower = [...layers.toReversed(), empty].join(":"); // an overlay that is not written to has at least two
  const options = [`lowerdir=${lower}`, ...(overlay === "userxattr" ? ["userxattr"] : [])];
  const shown = { type: "overlay", source: "overlay", options };
  // A hard link to a file of a lower layer is a copy, and reported; the image with several layers has no other links.
  return { shown, wanted: warnings.LINK_COPIED === undefined ? tree : withoutLinks(tree) };
}

async function fileSystem({ reference, platform, tree, path }: Served, form: ExportForm): Promise<Comparison> {
  const { file = "" } = await exportRootfs(reference, await path(), { platform, form });
  if (form === "ext4") execFileSync("e2fsck", ["-fn", file], { stdio: "pipe" });
  return { shown: { type: form, source: file, options: ["loop", "ro"] }, wanted: kept(form, tree) };
}

/** What skopeo reads out of a copy. */
async function copied({ reference, platform, tree, path }: Served, form: CopyForm): Promise<Comparison> {
  const destination = await path();
  await copy(reference, destination, { platform, form });
  const directory = await path();
  const source = `${form === "layout" ? "oci" : form}:${destination}`;
  await output("skopeo", ["--insecure-policy", "copy", "--quiet", source, `dir:${directory}`]);
  const { rootfs } = await unpack(`dir:${directory}`, await path(), { platform });
  return { shown: readTree(rootfs), wanted: tree };
}

function withoutLinks(listing: Listing): Listing {
  return Object.fromEntries(
    Object.entries(listing).map(([path, { sameFileAs: _sameFileAs, ...item }]) => [path, item]),
  );
}

describe("an image in a registry has the same tree as", { skip }, () => {
  let place: Scratch;
  let registry: DockerRegistry;
  before(async () => {
    place = await scratch();
    registry = await dockerRegistry();
  });
  after(async () => {
    await registry[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  async function served(name: string, source: SkopeoSource, platform: string, preserve = true): Promise<Served> {
    const reference = `${registry.host}/${name}/image:latest`;
    await pushed(source, reference, { preserve });
    const path = async () => join(await mkdtemp(join(place.directory, "made-")), "it");
    const { rootfs } = await unpack(reference, await path(), { platform });
    return { reference, platform, path, tree: readTree(rootfs) };
  }

  test("every output of four layers with all that layers can say", async (context) => {
    const layout = join(place.directory, "layout");
    await writeImageLayout(layout, [{ tag: "sample", images: [image(sampleLayers())] }]);
    await assertAll(context, await served("sample", `oci:${layout}:sample`, "linux/amd64"));
  });

  for (const [index, fixture] of shareOf(5, fixtureImages()).entries()) {
    const { name, transport, platform } = fixture;
    test(`every output of ${name} (${transport})`, async (context) => {
      const source: SkopeoSource = `${transport}:${await writeFixture(fixture, place.directory)}`;
      await assertAll(context, await served(`fixture-${index}`, source, platform, transport === "oci-archive"));
    });
  }

  if (fixtureImages().length === 0) test("every output of other tools' images", { skip: "no ../shared/fixtures" });
});

async function assertAll(context: TestContext, served: Served): Promise<void> {
  const forms = Object.keys(outputs);
  const comparisons = await Promise.all(Object.values(outputs).map((comparison) => comparison(served)));
  const mounts = comparisons.flatMap(({ shown }) => (isMount(shown) ? [shown] : []));
  const listings = await mounted(mounts);
  for (const [index, { shown, wanted }] of comparisons.entries()) {
    const found = isMount(shown) ? withoutLostAndFound(listings[mounts.indexOf(shown)] ?? {}) : shown;
    await context.test(`as ${forms[index]}`, () => assert.deepEqual(found, wanted));
  }
}

function isMount(shown: Listing | Mount): shown is Mount {
  return Array.isArray(shown.options);
}

function withoutLostAndFound({ "lost+found": _lostAndFound, ...listing }: Listing): Listing {
  return listing;
}
