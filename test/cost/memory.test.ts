import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { mediaTypes } from "../../src/oci/media-type.ts";
import { commandEntry } from "../support/oci-unpack.ts";
import { removeTree } from "../support/remove-tree.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { half, shareOf, third } from "../support/thorough.ts";
import { type MemoryShape, memoryShapes, type Verb } from "./memory-shapes.ts";

const MB = 1_000_000;
const mostMegabytes = 300;

/** The arguments of each verb, for an image in a layout and a place for what becomes of it. */
const argumentsOf: Readonly<Record<Verb, (layout: string, target: string) => readonly string[]>> = {
  unpack: (layout, target) => [named(layout), target, "--json"],
  "unpack a part, and list it": (layout, target) => [
    ...[named(layout), target, "--include", "**/*[0-9]", "--exclude", "**/x/**/y", "--mtree", `${target}.mtree`],
  ],
  overlay: (layout, target) => [named(layout), target, "--output", "overlay"],
  tar: (layout, target) => [named(layout), "--output", "tar", "-o", target],
  ls: (layout) => ["ls", "--recursive", named(layout)],
  cat: (layout) => ["cat", named(layout), "file-1"],
  inspect: (layout) => ["inspect", named(layout)],
  verify: (layout) => ["verify", emptied(layout), named(layout)],
  copy: (layout, target) => [named(layout), "--output", "layout", "-o", target, "--all-platforms"],
  "copy into an archive": (layout, target) => [
    ...[named(layout), "--output", "oci-archive", "-o", target, "--all-platforms"],
  ],
  store: (layout, target) => [named(layout), target, "--store", join(target, "..", store)],
  "store list": (layout) => ["store", "list", "--store", layout],
  "store verify": (layout) => ["store", "verify", "--store", layout],
  "store prune": (layout) => ["store", "prune", "--store", layout],
};

/** What an attempt that failed may leave. */
const store = "target.store";

const platform = ["--platform", "linux/amd64"];

function named(layout: string): string {
  return `oci:${layout}:x`;
}

/** The directory of an image from which every file was taken away. */
function emptied(layout: string): string {
  return `${layout}.emptied`;
}

/** Outer archives, which are compressed. */
const archives: readonly [title: string, made: () => Uint8Array, args: (archive: string) => readonly string[]][] = [
  [
    "an archive of an image with 6,000 names of 60 kB",
    () => tar(...Array.from({ length: 6000 }, (_, index) => file(`${String(index).padStart(60_000, "n")}`))),
    (archive) => [`oci-archive:${archive}`],
  ],
  [
    "an archive of an image that decompresses to more than is allowed",
    () => new Uint8Array(400 * MB),
    (archive) => [`docker-archive:${archive}`, "--limit", "totalBytes=50M"],
  ],
];

describe(`by default no image makes the program take more than ${mostMegabytes} MB`, () => {
  let place: Scratch;
  before(async () => {
    place = await scratch();
  });
  after(() => place[Symbol.asyncDispose]());

  for (const [number, shape] of shareOf(4, memoryShapes).entries()) {
    describe(`one with ${shape.name}`, () => {
      const layout = () => join(place.directory, "layout");
      before(() => writeLayout(layout(), shape.make()));
      after(() => {
        rmSync(layout(), { recursive: true });
        rmSync(emptied(layout()), { recursive: true });
      });
      for (const verb of third(shape.verbs, number))
        test(verb, () => {
          const args = argumentsOf[verb](layout(), join(place.directory, "work", "target"));
          run(place.directory, verb.startsWith("store ") ? args : [...args, "--quiet", ...platform]);
        });
    });
  }

  for (const [title, made, args] of half(archives)) {
    test(title, () => {
      const archive = join(place.directory, "archive.tar");
      writeFileSync(archive, gzipSync(made(), { level: 1 }));
      run(place.directory, ["inspect", ...args(archive), ...platform]);
      rmSync(archive);
    });
  }
});

/** Runs the command, which has to end well or with what limit was exceeded, and insists on its memory and on what it leaves. */
function run(directory: string, args: readonly string[]): void {
  const work = join(directory, "work");
  mkdirSync(join(work, "temporary"), { recursive: true });
  const [peak, output] = [join(directory, "peak"), openSync(join(directory, "output"), "w")];
  try {
    const { status, stderr } = spawnSync(process.execPath, ["--import", preload, commandEntry, ...args], {
      stdio: ["ignore", output, "pipe"],
      encoding: "utf8",
      env: { PATH: process.env.PATH, HOME: directory, TMPDIR: join(work, "temporary"), OCI_UNPACK_TEST_PEAK: peak },
    });
    const megabytes = Math.round(Number(readFileSync(peak, "utf8")) / MB);
    assert.ok(
      megabytes > 30 && megabytes <= mostMegabytes,
      `${megabytes} MB, status ${status}: ${stderr.slice(0, 500)}`,
    );
    if (status === 0 || status === 3) return;
    assert.match(stderr, /\braise the limit \w+|has no index\.json/, stderr.slice(0, 1000));
    const left = readdirSync(work).filter((name) => name !== "temporary" && name !== store);
    assert.deepEqual(left, [], "and nothing is left of it");
  } finally {
    closeSync(output);
    assert.deepEqual(readdirSync(join(work, "temporary")), []);
    removeTree(work);
  }
}

const preload = new URL("../support/note-peak.js", import.meta.url).href;

function writeLayout(directory: string, { top, blobs }: ReturnType<MemoryShape["make"]>): void {
  if (existsSync(directory)) throw new Error(`"${directory}" is there already`);
  mkdirSync(join(directory, "blobs/sha256"), { recursive: true });
  for (const { descriptor, bytes } of blobs)
    writeFileSync(join(directory, "blobs", descriptor.digest.replace(":", "/")), bytes);
  const annotations = { "org.opencontainers.image.ref.name": "x" };
  const manifests = [{ ...top.descriptor, annotations }];
  writeFileSync(join(directory, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  writeFileSync(join(directory, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  mkdirSync(join(emptied(directory), "rootfs"), { recursive: true });
  const configs = blobs.filter(({ descriptor }) => descriptor.mediaType === mediaTypes.ociConfig);
  for (const { bytes } of configs) writeFileSync(join(emptied(directory), "config.json"), bytes);
}
