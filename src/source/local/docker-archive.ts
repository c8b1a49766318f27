import { isOciUnpackError, limitExceeded, OciUnpackError, retold } from "../../base/errors.ts";
import type { FetchOptions } from "../../base/events.ts";
import type { Limits } from "../../base/limits.ts";
import { compressionOf } from "../../blob/compressed-input.ts";
import type { BlobOptions, Document, ImagePlace, ImageSource, PlacedImage } from "../../blob/image-source.ts";
import { parseConfig } from "../../oci/config.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { type Digest, digestOf, Hasher } from "../../oci/digest.ts";
import type { Manifest } from "../../oci/document.ts";
import { JsonValue } from "../../oci/json-value.ts";
import { type LayerCompression, mediaTypes } from "../../oci/media-type.ts";
import { formatReference, ifReference, parseReference } from "../../oci/reference.ts";
import {
  blobPath,
  type ImageFiles,
  listed,
  type OpenFiles,
  readBlob,
  readDocument,
  requireFile,
  type StoredFile,
} from "./image-files.ts";
import { isLayout, layoutManifests } from "./layout.ts";

/** What `manifest.json` says about one image. */
interface ArchivedImage {
  readonly config: string;
  readonly tags: readonly string[];
  readonly layers: readonly string[];
}

/** A manifest that was made for the image, and the file of each blob in it. */
interface Assembled {
  readonly document: Document;
  readonly blobs: ReadonlyMap<Digest, StoredFile>;
}

/**
 * An image in an archive as `docker save` writes it.
 *
 * Such an archive has no manifest and no digests of blobs, so a manifest is made. The digest of an uncompressed layer
 * is its diffID, which the config states; only a compressed layer has to be read for its digest.
 */
export class DockerArchiveImage implements ImageSource {
  readonly parallelBlobs = 1;
  readonly name: string;
  readonly location: ImagePlace;
  readonly #files: OpenFiles;
  readonly #limits: Limits;
  /** The repository and tag of the image, or its place as `@N`, if the archive has several images. */
  readonly #wanted: string | undefined;
  #assembled: Promise<Assembled> | undefined;

  constructor({ name, location }: PlacedImage, files: OpenFiles, limits: Limits, wanted?: string) {
    this.name = name;
    this.location = location;
    this.#files = files;
    this.#limits = limits;
    this.#wanted = wanted;
  }

  async manifest(_descriptor?: Descriptor, { signal }: FetchOptions = {}): Promise<Document> {
    return (await this.#assemble(signal)).document;
  }

  async *blob(descriptor: Descriptor, options: BlobOptions = {}): AsyncGenerator<Uint8Array> {
    const file = (await this.#assemble(options.signal)).blobs.get(descriptor.digest);
    if (file === undefined)
      throw new OciUnpackError("NOT_FOUND", `cannot find blob ${descriptor.digest} in "${this.name}"`, {
        details: { digest: descriptor.digest },
      });
    yield* readBlob(file, descriptor, options);
  }

  async #assemble(signal?: AbortSignal): Promise<Assembled> {
    try {
      this.#assembled ??= this.#files(signal).then((files) => {
        return assemble({ files, limits: this.#limits, signal }, this.#wanted);
      });
      return await this.#assembled;
    } catch (error) {
      this.#assembled = undefined; // it may have failed because this caller aborted, so the next one tries again
      throw error;
    }
  }
}

/** What the manifest of an image is made from. */
interface Assembling {
  readonly files: ImageFiles;
  readonly limits: Limits;
  readonly signal: AbortSignal | undefined;
}

async function assemble(assembling: Assembling, wanted: string | undefined): Promise<Assembled> {
  const { files, limits } = assembling;
  const image = choose(await readImages(assembling), wanted, files.name);
  if (image.layers.length > limits.layers) {
    const found = `it has ${image.layers.length} layers, ${limits.layers} are allowed (layers)`;
    throw limitExceeded(`cannot read "${files.name}": ${found}`, "layers", { allowed: limits.layers });
  }
  return (await isLayout(files)) ? await fromLayout(assembling, image) : await fromFiles(assembling, image);
}

/** Docker 25 and newer also write an OCI layout. Its manifest is used if it is that of the same image (S18). */
async function fromLayout({ files, limits, signal }: Assembling, image: ArchivedImage): Promise<Assembled> {
  for await (const { document, manifest } of layoutManifests(files, limits, signal)) {
    if (!isSameImage(manifest, image)) continue;
    const blobs = new Map<Digest, StoredFile>();
    for (const { digest } of [manifest.config, ...manifest.layers]) {
      blobs.set(digest, await requireFile(files, blobPath(digest), `blob ${digest}`));
    }
    return { document, blobs };
  }
  throw new OciUnpackError(
    "INVALID_MANIFEST",
    `cannot read "${files.name}": its index.json does not list the image that its manifest.json does`,
  );
}

function isSameImage({ config, layers }: Manifest, image: ArchivedImage): boolean {
  if (blobPath(config.digest) !== image.config || layers.length !== image.layers.length) return false;
  return layers.every(({ digest }, index) => blobPath(digest) === image.layers[index]);
}

async function fromFiles({ files, limits, signal }: Assembling, image: ArchivedImage): Promise<Assembled> {
  const configFile = await requireFile(files, image.config, "the config");
  const configBytes = await readDocument(configFile, image.config, { limits, limit: "configBytes", signal });
  const { diffIDs } = parseConfig(configBytes);
  const configDigest = digestOf(configBytes);
  const blobs = new Map<Digest, StoredFile>([[configDigest, configFile]]);
  const layers = [];
  // Each file is read once, also if the image has the same layer a thousand times.
  const digests = new Map<StoredFile, Digest>();
  for (const [index, path] of image.layers.entries()) {
    const file = await requireFile(files, path, `layer ${index + 1}`);
    const compression = await compressionIn(file, index, signal);
    const stated = compression === "none" ? diffIDs[index] : undefined;
    const digest = stated ?? digests.get(file) ?? (await digestOfFile(file, signal));
    if (stated === undefined) digests.set(file, digest);
    const mediaType = layerTypes[compression];
    blobs.set(digest, file);
    layers.push({ mediaType, digest, size: file.sizeBytes });
  }
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: configDigest, size: configBytes.length },
    layers,
  };
  return { document: { mediaType: mediaTypes.ociManifest, bytes: Buffer.from(JSON.stringify(manifest)) }, blobs };
}

async function readImages({ files, limits, signal }: Assembling): Promise<readonly ArchivedImage[]> {
  const file = await files.open("manifest.json");
  if (file === undefined) {
    throw new OciUnpackError("NOT_FOUND", `cannot find an image in "${files.name}": it has no manifest.json`, {
      hint: (await files.open("repositories"))
        ? "Docker before 1.10 wrote it: load it in a Docker that still reads it, and save it again there"
        : 'docker-archive: reads what "docker save" and "podman save" write; for an OCI archive use oci-archive:',
    });
  }
  const bytes = await readDocument(file, "manifest.json", { limits, limit: "manifestBytes", signal });
  return JsonValue.parse(bytes, `manifest.json of "${files.name}"`, "INVALID_MANIFEST")
    .list()
    .map((image) => ({
      config: image.required("Config").string(),
      tags: image.optional("RepoTags")?.strings() ?? [],
      layers: image.optional("Layers")?.strings() ?? [],
    }));
}

function choose(images: readonly ArchivedImage[], wanted: string | undefined, archive: string): ArchivedImage {
  const [only, ...others] = images;
  if (wanted === undefined && only !== undefined && others.length === 0) return only;
  const found = wanted === undefined ? undefined : named(images, wanted);
  if (found !== undefined) return found;
  const choices = images.flatMap(({ tags }, place) =>
    tags.length === 0 ? `:@${place}` : tags.map((tag) => `:${tag}`),
  );
  const problem = wanted === undefined ? `it has ${images.length}` : `none is "${wanted}"`;
  throw new OciUnpackError("NOT_FOUND", `cannot choose an image in "${archive}": ${problem}`, {
    ...(choices.length > 0 && { hint: `append one of these: ${listed(choices)}` }),
  });
}

/** An image by its place in the list, as skopeo counts: from 0. What was saved by its ID has no other name. */
const byPlace = /^@(\d+)$/;

/** Some tools write names that are no references: these are found as they are written, and are in nobody's way. */
function named(images: readonly ArchivedImage[], wanted: string): ArchivedImage | undefined {
  const asWritten = images.find(({ tags }) => tags.includes(wanted));
  if (asWritten !== undefined) return asWritten;
  const place = byPlace.exec(wanted)?.[1];
  if (place !== undefined) return images[Number(place)];
  const whole = wholeName(wanted);
  return whole === undefined ? undefined : images.find(({ tags }) => tags.some((tag) => wholeName(tag) === whole));
}

function wholeName(text: string): string | undefined {
  const reference = ifReference(() => parseReference(text));
  return reference && formatReference(reference);
}

async function compressionIn(file: StoredFile, layer: number, signal?: AbortSignal): Promise<LayerCompression> {
  try {
    for await (const chunk of file.read(signal)) return compressionOf(chunk);
    return "none";
  } catch (error) {
    if (!isOciUnpackError(error, "UNSUPPORTED_MEDIA_TYPE")) throw error;
    throw retold(error, `layer ${layer + 1}: ${error.message}`, { details: { layer } });
  }
}

async function digestOfFile(file: StoredFile, signal?: AbortSignal): Promise<Digest> {
  const hasher = new Hasher("sha256");
  for await (const chunk of file.read(signal)) hasher.update(chunk);
  return hasher.digest();
}

const layerTypes: Readonly<Record<LayerCompression, string>> = {
  none: "application/vnd.oci.image.layer.v1.tar",
  gzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  zstd: "application/vnd.oci.image.layer.v1.tar+zstd",
};
