import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { type DockerRegistry, dockerRegistry } from "../support/docker-registry.ts";
import { encodings, image, imageIndex } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { ociUnpack } from "../support/oci-unpack.ts";
import { repositoryFile } from "../support/repository.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { defaultMtime, device, directory, file, tar, whiteout } from "../support/tar-builder.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { readTree } from "../support/tree.ts";
import { type Difference, differences } from "../support/tree-differences.ts";
import { type PushOptions, pushed, type SkopeoSource, unpackedByUmoci } from "../support/umoci.ts";

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

  for (const encoding of encodings) {
    test(`of four layers stored as ${encoding}`, () => compareLayout(encoding));
  }
  test("of an image with Docker's media types", () => compareLayout("gzip", { docker: true }));
  test("of the image for this platform in an index of several", () => compareLayout("index", { all: true }));
  test("of an image without layers", () => compareLayout("empty"));

  for (const { name, transport } of fixtures()) {
    test(`of ${name} as ${transport}`, async () => {
      const archive = join(place.directory, name.replace(/\.gz$/, ""));
      const bytes = await readFile(fixture(name));
      await writeFile(archive, name.endsWith(".gz") ? gunzipSync(bytes) : bytes);
      await compare(`${transport}:${archive}`, { preserve: transport === "oci-archive" });
    });
  }

  for (const { rule, title, expected } of disagreements) {
    test(`but for ${title} (${rule})`, async () => {
      const found = await differencesOf(`oci:${join(place.directory, "layout")}:${rule}`);
      const fields = found.map(({ path, field, ours }) => ({ path, field, ours }));
      assert.deepEqual(fields, expected);
    });
  }

  function compareLayout(tag: string, options?: PushOptions): Promise<void> {
    return compare(`oci:${join(place.directory, "layout")}:${tag}`, options);
  }

  async function compare(source: SkopeoSource, options?: PushOptions): Promise<void> {
    assert.deepEqual(await differencesOf(source, options), []);
  }

  async function differencesOf(source: SkopeoSource, options?: PushOptions): Promise<readonly Difference[]> {
    const own = await mkdtemp(join(place.directory, "compared-"));
    const reference = `${registry.host}/compared/image:latest`;
    await pushed(source, reference, options);
    const args = ["--quiet", "--platform", "linux/amd64", "--sandbox", "require"];
    const outcome = await ociUnpack([...args, reference, join(own, "ours")]);
    assert.deepEqual(outcome, { status: 0, signal: undefined, stdout: "", stderr: "" });
    const theirs = readTree(await unpackedByUmoci(reference, own));
    assert.ok(Object.keys(theirs).length > 0);
    return differences(readTree(join(own, "ours/rootfs")), theirs);
  }
});

/** An image that umoci and we read differently on purpose; what is ours is what the rule says. */
interface Disagreement {
  readonly rule: string;
  readonly title: string;
  readonly layers: readonly Uint8Array[];
  readonly expected: readonly Pick<Difference, "path" | "field" | "ours">[];
}

const epoch = "0.000000000";
const stated = `${defaultMtime}.000000000`;

const disagreements: readonly Disagreement[] = [
  {
    rule: "T19",
    title: "the times of directories that no layer names, and of those they are made in",
    layers: [tar(directory("./"), file("implied/too/file"))],
    expected: [
      { path: ".", field: "mtime", ours: stated },
      { path: "implied", field: "mtime", ours: epoch },
      { path: "implied/too", field: "mtime", ours: epoch },
    ],
  },
  {
    rule: "T29",
    title: "device nodes, which we leave out",
    layers: [tar(directory("./"), directory("dev"), device("dev/null", "character", [1, 3]))],
    expected: [{ path: "dev/null", field: "presence", ours: undefined }],
  },
  {
    rule: "W20",
    title: "what AUFS kept for itself, which is no part of an image",
    layers: [tar(directory("./"), directory(".wh..wh.plnk"), file(".wh..wh.plnk/1.2"))],
    expected: [
      { path: ".", field: "mtime", ours: stated },
      { path: ".wh..wh.plnk", field: "presence", ours: undefined },
      { path: ".wh..wh.plnk/1.2", field: "presence", ours: undefined },
    ],
  },
  {
    rule: "W22",
    title: "names that only whiteouts may have, which we leave out",
    layers: [tar(directory("./"), directory("d"), file("d/.wh.x/y"))],
    expected: [
      { path: "d", field: "mtime", ours: stated },
      { path: "d/.wh.x", field: "presence", ours: undefined },
      { path: "d/.wh.x/y", field: "presence", ours: undefined },
    ],
  },
  {
    rule: "W4",
    title: "a directory that its layer hides and implies, which gets the attributes of an implied one",
    layers: [
      tar(directory("./"), directory("d", { mode: 0o700, uid: 7 }), file("d/x")),
      tar(file("d/y"), whiteout("d")),
    ],
    expected: [
      { path: "d", field: "mode", ours: "0755" },
      { path: "d", field: "owner", ours: "0:0" },
      { path: "d", field: "mtime", ours: epoch },
    ],
  },
];

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

/** Images that other tools made, where they lie beside a checkout; without them the tests' own images are what is compared. */
function fixtures(): readonly { name: string; transport: "oci-archive" | "docker-archive" }[] {
  const oci = [
    "busybox-1.31.1",
    "busybox.multiplatform",
    "small-gzip",
    "small-zstd",
    "small-estargz",
    "small-uncompressed",
  ];
  return [
    ...oci.map((name) => ({ name: `${name}.oci.tar`, transport: "oci-archive" as const })),
    { name: "hello-world.hybrid.tar", transport: "oci-archive" as const },
    { name: "hello-world.hybrid.tar", transport: "docker-archive" as const },
    { name: "alpine-3.10.docker.tar.gz", transport: "docker-archive" as const },
    { name: "alpine-3.11.docker.tar.gz", transport: "docker-archive" as const },
  ].filter(({ name }) => existsSync(fixture(name)));
}

function fixture(name: string): string {
  return fileURLToPath(repositoryFile(`../shared/fixtures/images/${name}`));
}
