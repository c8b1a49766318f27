import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Blob, blobsOf, type Image } from "./image.ts";

/** What a name in a layout stands for: an image, or an index of images. */
export interface NamedImage {
  readonly tag: string;
  readonly images: readonly Image[];
  /** The index, where the name stands for one; else it stands for the first image. */
  readonly index?: Blob;
}

/** Writes an OCI image layout (image-spec, image-layout.md), which skopeo and umoci read as `oci:DIRECTORY:TAG`. */
export async function writeImageLayout(directory: string, names: readonly NamedImage[]): Promise<void> {
  await mkdir(join(directory, "blobs/sha256"), { recursive: true });
  for (const { images, index } of names) {
    for (const blob of [...images.flatMap(blobsOf), ...(index === undefined ? [] : [index])]) {
      await writeFile(join(directory, "blobs", blob.descriptor.digest.replace(":", "/")), blob.bytes);
    }
  }
  await writeFile(join(directory, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  await writeFile(join(directory, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: names.map(named) }));
}

function named({ tag, images, index }: NamedImage): object {
  const { descriptor } = index ?? images[0]?.manifest ?? {};
  return { ...descriptor, annotations: { "org.opencontainers.image.ref.name": tag } };
}
