import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { resolve } from "../../src/index.ts";
import { type Image, image } from "../support/image.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { file, hardlink, paxRecord, paxText, symlink, tar } from "../support/tar-builder.ts";
import { joined } from "../support/tar-header.ts";
import { half } from "../support/thorough.ts";
import { assertLinear, fourTimes, processorTimeOf } from "./growth.ts";

/** An archive that has an image in it, and much else. */
interface OuterArchive {
  readonly transport: "oci-archive" | "docker-archive";
  readonly few: number;
  readonly make: (count: number) => Uint8Array;
}

const archives: Readonly<Record<string, OuterArchive>> = {
  "files in an archive": layout(2000, (count) => times(count, (index) => file(`file-${index}`))),
  "long names that V8 hashes alike": layout(250, (count) =>
    times(count, (index) => file(`${String(index).padStart(60_000, "-")}`)),
  ),
  "files of one name": layout(2000, (count) => times(count, () => file("f"))),
  "symlinks, each to the one before": layout(1000, (count) =>
    times(count, (index) => symlink(`link-${index + 1}`, `link-${index}`)),
  ),
  "hard links, each to the one before": layout(1000, (count) =>
    times(count, (index) => hardlink(`link-${index + 1}`, `link-${index}`)),
  ),
  "remarks in an access-control list": layout(50_000, (count) => [
    file("f", "", { pax: { "SCHILY.acl.access": `${"#".repeat(count)}\r` } }),
  ]),
  "pax records in a header": layout(4000, (count) => [
    paxText(joined(...times(count, (index) => paxRecord(`key-${index}`, "")))),
    file("f"),
  ]),
  "gzip members around an archive": {
    transport: "oci-archive",
    few: 1000,
    make: (count) => joined(gzipSync(tar(...layoutMembers)), ...times(count, () => gzipSync(""))),
  },
  "manifests of one digest in an index": {
    transport: "oci-archive",
    few: 1000,
    make: (count) => layoutWith(times(count, () => ({ ...only.manifest.descriptor, platform: only.platform }))),
  },
  "images in a docker archive": docker(1000, (count) => times(count, () => dockerImage(["a:latest"], 1))),
  "names of an image in a docker archive": docker(1000, (count) => [
    dockerImage(
      times(count, (index) => `a:${index}`),
      1,
    ),
  ]),
  "layers of an image in a docker archive": docker(1000, (count) => [dockerImage(["a:latest"], count)]),
};

let place: Scratch;
before(async () => {
  place = await scratch();
});
after(() => place[Symbol.asyncDispose]());

for (const [what, { transport, few, make }] of half(Object.entries(archives))) {
  test(`${fourTimes(few)} ${what} are read in linear time`, () => {
    const paths = new Map([few, fourTimes(few)].map((count) => [count, join(place.directory, `${count}.tar`)]));
    for (const [count, path] of paths) writeFileSync(path, make(count));
    return assertLinear(few, (count) =>
      processorTimeOf(() => resolve(`${transport}:${paths.get(count)}`, { platform: "linux/amd64" })),
    );
  });
}

const only = image([tar(file("f"))]);
const layoutMembers = members(only, [only.manifest.descriptor]);

function layout(few: number, make: (count: number) => readonly Uint8Array[]): OuterArchive {
  return { transport: "oci-archive", few, make: (count) => tar(...make(count), ...layoutMembers) };
}

function layoutWith(manifests: readonly object[]): Uint8Array {
  return tar(...members(only, manifests));
}

function members({ manifest, config, layers }: Image, manifests: readonly object[]): readonly Uint8Array[] {
  return [
    file("oci-layout", JSON.stringify({ imageLayoutVersion: "1.0.0" })),
    file("index.json", JSON.stringify({ schemaVersion: 2, manifests })),
    ...[manifest, config, ...layers].map(({ descriptor, bytes }) =>
      file(`blobs/${descriptor.digest.replace(":", "/")}`, bytes),
    ),
  ];
}

function docker(few: number, make: (count: number) => readonly object[]): OuterArchive {
  return {
    transport: "docker-archive",
    few,
    make(count) {
      const images = make(count);
      const config = JSON.stringify({
        ...{ os: "linux", architecture: "amd64" },
        rootfs: { type: "layers", diff_ids: times(count, () => `sha256:${"0".repeat(64)}`) },
      });
      return tar(file("manifest.json", JSON.stringify(images)), file("config.json", config), file("layer.tar", "x"));
    },
  };
}

function dockerImage(names: readonly string[], layers: number): object {
  return { Config: "config.json", RepoTags: names, Layers: times(layers, () => "layer.tar") };
}

function times<Thing>(count: number, make: (index: number) => Thing): Thing[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
