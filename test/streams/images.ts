import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { localSource, unpack } from "../../src/index.ts";
import { Random } from "../model/random.ts";
import { output } from "../support/command.ts";
import { blob, image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { scratch } from "../support/scratch.ts";
import { readTree, type Tree } from "../support/tree.ts";
import { differences } from "../support/tree-differences.ts";
import { archiveNearAnEnd, makers, type StoredLayer, storedByTool, storedInMembers } from "./layers.ts";

/** Who makes an image's layers. */
export const layerMakers = ["zlib", "tools", "umoci"] as const;
export type LayerMaker = (typeof layerMakers)[number];

/** Insists that an image of layers that end near the end of a buffer becomes what `gzip -d` and GNU tar make of them. */
export async function assertUnpacksLikeTar(maker: LayerMaker, layers: number, seed: number): Promise<void> {
  await using place = await scratch();
  const layout = join(place.directory, "layout");
  await made[maker](layout, layers, new Random(seed));
  await using source = localSource();
  const { rootfs } = await unpack(`oci:${layout}:latest`, join(place.directory, "bundle"), {
    source,
    platform: "linux/amd64",
  });
  const expected = join(place.directory, "expected");
  await unpackByTar(await layersIn(layout), expected);
  assert.deepEqual(differences(files(rootfs), files(expected)), [], `layers of ${maker}, seed ${seed}`);
}

/** All but the root, whose time GNU tar leaves alone. */
function files(directory: string): Tree {
  const { ".": _root, ...rest } = readTree(directory);
  return rest;
}

/** They write an image layout. */
const made: Readonly<Record<LayerMaker, (layout: string, layers: number, random: Random) => Promise<void>>> = {
  async zlib(layout, layers, random) {
    const stored = Array.from({ length: layers }, (_, number) =>
      storedInMembers(archiveNearAnEnd(number, random), random),
    );
    await writeLayout(layout, stored);
  },

  async tools(layout, layers, random) {
    const stored: StoredLayer[] = [];
    for (let number = 0; number < layers; number += 1) {
      const tool = makers[number % makers.length] ?? "tar";
      stored.push(await storedByTool(tool, number, `${layout}.tool`, random));
    }
    await writeLayout(layout, stored);
  },

  /** Its layers are compressed by Go, several blocks at a time. */
  async umoci(layout, layers, random) {
    const name = `${layout}:latest`;
    await output("umoci", ["init", "--layout", layout]);
    await output("umoci", ["new", "--image", name]);
    await output("umoci", ["config", "--image", name, "--os", "linux", "--architecture", "amd64"]);
    for (let number = 0; number < layers; number += 1) {
      const path = `${layout}.tar`;
      await writeFile(path, archiveNearAnEnd(number, random));
      await output("umoci", ["raw", "add-layer", "--image", name, path]);
    }
  },
};

async function writeLayout(layout: string, layers: readonly StoredLayer[]): Promise<void> {
  const whole = image(
    layers.map(({ archive }) => archive),
    { layers: layers.map(({ stored }) => blob("application/vnd.oci.image.layer.v1.tar+gzip", stored)) },
  );
  await writeImageLayout(layout, [{ tag: "latest", images: [whole] }]);
}

interface Described {
  readonly digest: string;
}

/** The paths of the only image's layers. */
async function layersIn(layout: string): Promise<readonly string[]> {
  const path = ({ digest }: Described) => join(layout, "blobs", digest.replace(":", "/"));
  const read = async (path: string) => JSON.parse(await readFile(path, "utf8"));
  const index: { readonly manifests: readonly [Described] } = await read(join(layout, "index.json"));
  const manifest: { readonly layers: readonly Described[] } = await read(path(index.manifests[0]));
  return manifest.layers.map(path);
}

async function unpackByTar(layers: readonly string[], target: string): Promise<void> {
  await mkdir(target);
  const script = 'for layer do gzip -dc "$layer" > ../layer.tar; tar -x -p -f ../layer.tar; done';
  await output("sh", ["-e", "-u", "-c", script, "sh", ...layers], { directory: target });
}
