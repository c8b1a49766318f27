import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { localSource } from "../../../src/source/local/local-source.ts";
import { cutAtRandom } from "../../model/cuts.ts";
import { Random } from "../../model/random.ts";
import { body } from "../../streams/bodies.ts";
import { type Blob, blob, blobsOf, type Image, image } from "../../support/image.ts";
import { scratch } from "../../support/scratch.ts";
import { directory, file, tar } from "../../support/tar-builder.ts";

const noise = body("noise", 1_200_000);

/** Layers of lengths of chance, most of them around a multiple of what an archive's headers are read by. */
function randomImage(random: Random): Image {
  const layers = random.many(1, 6, () => {
    const length = random.oneOf([0, 512, 65_536, 131_072]) + random.below(1200);
    const start = random.below(1_000_000);
    return blob("application/vnd.oci.image.layer.v1.tar", noise.subarray(start, start + Math.max(0, length - 600)));
  });
  return image(
    layers.map(({ bytes }) => bytes),
    { layers },
  );
}

/** An image layout in one archive, its members in any order and among others. */
function archiveOf(whole: Image, random: Random): Uint8Array {
  const named = { ...whole.manifest.descriptor, annotations: { "org.opencontainers.image.ref.name": "latest" } };
  const members = [
    file("oci-layout", JSON.stringify({ imageLayoutVersion: "1.0.0" })),
    file("index.json", JSON.stringify({ schemaVersion: 2, manifests: [named] })),
    directory("blobs"),
    ...random.many(0, 4, () => file(`other/${random.below(1000)}`, noise.subarray(0, random.below(3000)))),
    ...blobsOf(whole).map(({ descriptor, bytes }) => file(`blobs/${descriptor.digest.replace(":", "/")}`, bytes)),
  ];
  return tar(...members.sort(() => random.fraction() - 0.5));
}

/** Reads all layers at once, so that the reads take turns. */
async function layersOf(name: string, layers: readonly Blob[], pieces: readonly Uint8Array[]): Promise<Buffer[]> {
  await using source = localSource({ standardInput: Readable.from(pieces) });
  const image = source.image(name);
  const read = async ({ descriptor }: Blob) => {
    const chunks: Buffer[] = [];
    const { mediaType, digest, size } = descriptor;
    for await (const chunk of image.blob({ mediaType, digest, sizeBytes: size })) {
      chunks.push(Buffer.from(chunk));
    }
    return Buffer.concat(chunks);
  };
  return await Promise.all(layers.map(read));
}

test("layers come out of an archive as they lie in it: in a file, compressed, or through a pipe that cuts it anywhere", async () => {
  await using place = await scratch();
  const path = join(place.directory, "image.tar");
  for (let seed = 0; seed < 40; seed += 1) {
    const random = new Random(seed);
    const whole = randomImage(random);
    const archive = archiveOf(whole, random);
    const stored = random.chance(0.4) ? gzipSync(archive, { level: 1 }) : archive;
    const isPiped = random.chance(0.4);
    if (!isPiped) await writeFile(path, stored);
    const pieces = cutAtRandom(stored, random, random.oneOf([3000, 100_000, stored.length]));
    const read = await layersOf(`oci-archive:${isPiped ? "-" : path}:latest`, whole.layers, pieces);
    for (const [index, layer] of whole.layers.entries()) {
      assert.ok(read[index]?.equals(layer.bytes), `seed ${seed}, layer ${index}`);
    }
  }
});
