import { present } from "../base/present.ts";
import type { Artifact } from "../image/artifact.ts";
import type { ArtifactFile } from "../image/artifact-files.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { algorithmOf, encodedOf } from "../oci/digest.ts";
import { unknown } from "../oci/platform.ts";
import type { CountedImage } from "../operation/counted-image.ts";
import { numberedFiles } from "../operation/image-layers.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import { tocOfOne } from "../toc/toc-writer.ts";
import type { NumberedLayer } from "../worker/messages.ts";
import { Progress } from "../worker/progress.ts";
import type { LookedInto } from "./looked-into.ts";

/** An artifact as the reader of images takes it. */
export function lookedInto(
  { reference, digest, platform, manifest, files }: Artifact,
  source: CountedImage,
): LookedInto {
  const noPlatform = { os: unknown, architecture: unknown };
  const layers = manifest.layers.map((descriptor) => ({ descriptor, diffID: undefined }));
  return {
    image: { reference, digest, platform: platform ?? noPlatform, layers },
    source,
    layers: indexedFiles(files, manifest.layers),
    blobs: manifest.layers,
    progress: Progress.forLayers(layers.length),
  };
}

/** What stands for the layers of an artifact: an index for each file, because its manifest says all, and archives. */
export function indexedFiles(files: readonly ArtifactFile[], layers: readonly Descriptor[]): readonly NumberedLayer[] {
  return numberedFiles(files, layers).map((layer) => (layer.below === undefined ? { ...layer, form: "index" } : layer));
}

/** The indexes of an artifact's files, as if each were in an archive. */
export class FileIndexes {
  readonly #artifact: Artifact;

  constructor(artifact: Artifact) {
    this.#artifact = artifact;
  }

  /** Whether a layer is a file. */
  has(layer: number): boolean {
    return this.#fileAt(layer) !== undefined;
  }

  /** The index of a layer that is a file, in gzip. */
  async *read(layer: number): AsyncGenerator<Uint8Array> {
    const file = this.#fileAt(layer);
    if (file === undefined) throw new RangeError(`layer ${layer} is no file`);
    yield indexOf(file);
  }

  #fileAt(layer: number): ArtifactFile | undefined {
    const { files, manifest } = this.#artifact;
    return files.find(({ descriptor, form }) => form === "file" && descriptor === manifest.layers[layer]);
  }
}

function indexOf({ name, descriptor: { digest, sizeBytes } }: ArtifactFile): Uint8Array {
  const isTold = algorithmOf(digest) === "sha256" && sizeBytes > 0;
  const entry = {
    type: "file",
    typeFlag: "0",
    path: byteStringOf(name),
    linkPath: byteStringOf(""),
    mode: 0o644,
    uid: 0,
    gid: 0,
    sizeBytes,
    mtime: { seconds: 0, nanoseconds: 0 },
    deviceMajor: 0,
    deviceMinor: 0,
    offset: 0,
  } as const;
  return tocOfOne(entry, { dataOffset: 0, ...present({ digest: isTold ? encodedOf(digest) : undefined }) });
}

/** Whether a file, or an archive of that name, has to do with what is at a path: it is there, above it or below it. */
export function isOnTheWay(name: string, path: ByteString): boolean {
  const wanted = path.split("/").filter((each) => each !== "" && each !== ".");
  if (wanted.includes("..")) return true;
  const names = byteStringOf(name).split("/");
  return wanted.every((each, index) => names[index] === undefined || names[index] === each);
}
