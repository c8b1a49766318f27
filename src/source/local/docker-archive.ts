import { compressionOf } from "../../blob/compression.ts";
import { OciUnpackError } from "../../errors.ts";
import { defaultLimits } from "../../limits.ts";
import { parseConfig } from "../../oci/config.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { type Digest, digestOf, Hasher } from "../../oci/digest.ts";
import { JsonValue } from "../../oci/json-value.ts";
import { type LayerCompression, mediaTypes } from "../../oci/media-type.ts";
import { formatReference, parseReference } from "../../oci/reference.ts";
import type { BlobOptions, Document, FetchOptions, ImageSource } from "../source.ts";
import { blobPath, readBlob, readDocument, requireFile } from "./documents.ts";
import type { Files, StoredFile } from "./files.ts";
import { isLayout, layoutManifests } from "./layout.ts";

/** What `manifest.json` says of one image. */
interface ArchivedImage {
  readonly config: string;
  readonly tags: readonly string[];
  readonly layers: readonly string[];
}

/** The manifest that the archive does not have, and the file of each blob that it names. */
interface Assembled {
  readonly document: Document;
  readonly blobs: ReadonlyMap<Digest, StoredFile>;
}

/**
 * An image in what `docker save` writes.
 *
 * Such an archive has no manifest and does not name blobs by digest, so a manifest is put together: an uncompressed
 * layer's digest is its diffID, which the config states; only a compressed one has to be read to be named.
 */
export class DockerArchiveImage implements ImageSource {
  readonly name: string;
  readonly #files: (signal?: AbortSignal) => Promise<Files>;
  /** The repository and tag that are meant, where the archive holds several images. */
  readonly #wanted: string | undefined;
  #assembled: Promise<Assembled> | undefined;

  constructor(name: string, files: (signal?: AbortSignal) => Promise<Files>, wanted?: string) {
    this.name = name;
    this.#files = files;
    this.#wanted = wanted;
  }

  async manifest(_descriptor?: Descriptor, { signal }: FetchOptions = {}): Promise<Document> {
    return (await this.#assemble(signal)).document;
  }

  async *blob(descriptor: Descriptor, options: BlobOptions = {}): AsyncGenerator<Uint8Array> {
    const file = (await this.#assemble(options.signal)).blobs.get(descriptor.digest);
    if (file === undefined)
      throw new OciUnpackError("NOT_FOUND", `cannot find blob ${descriptor.digest} in "${this.name}"`);
    yield* readBlob(file, descriptor, options);
  }

  #assemble(signal?: AbortSignal): Promise<Assembled> {
    this.#assembled ??= this.#files(signal).then((files) => assemble(files, this.#wanted, signal));
    return this.#assembled;
  }
}

async function assemble(files: Files, wanted: string | undefined, signal?: AbortSignal): Promise<Assembled> {
  const image = choose(await readImages(files, signal), wanted, files.name);
  return (await isLayout(files)) ? await fromLayout(files, image, signal) : await fromFiles(files, image, signal);
}

/** Docker 25 and newer write an OCI layout beside their own list: its manifest is the real one, if both mean the same image (S18). */
async function fromLayout(files: Files, image: ArchivedImage, signal?: AbortSignal): Promise<Assembled> {
  for (const { document, manifest } of await layoutManifests(files, signal)) {
    const paths = manifest.layers.map(({ digest }) => blobPath(digest));
    if (blobPath(manifest.config.digest) !== image.config || paths.join() !== image.layers.join()) continue;
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

async function fromFiles(files: Files, image: ArchivedImage, signal?: AbortSignal): Promise<Assembled> {
  const configFile = await requireFile(files, image.config, "the config");
  const configBytes = await readDocument(configFile, image.config, defaultLimits.configBytes, signal);
  const { diffIDs } = parseConfig(configBytes);
  const configDigest = digestOf(configBytes);
  const blobs = new Map<Digest, StoredFile>([[configDigest, configFile]]);
  const layers = [];
  for (const [index, path] of image.layers.entries()) {
    const file = await requireFile(files, path, `layer ${index + 1}`);
    const { digest, mediaType } = await nameLayer(file, diffIDs[index], signal);
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

async function readImages(files: Files, signal?: AbortSignal): Promise<readonly ArchivedImage[]> {
  const file = await files.open("manifest.json");
  if (file === undefined) {
    throw new OciUnpackError("NOT_FOUND", `cannot find an image in "${files.name}": it has no manifest.json`, {
      hint: 'docker-archive: reads what "docker save" and "podman save" write; for an OCI archive use oci-archive:',
    });
  }
  const bytes = await readDocument(file, "manifest.json", defaultLimits.manifestBytes, signal);
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
  const found =
    wanted === undefined ? undefined : images.find(({ tags }) => tags.some((tag) => sameReference(tag, wanted)));
  if (found !== undefined) return found;
  const choices = images.flatMap(({ tags }) => tags).slice(0, 20);
  const problem = wanted === undefined ? `it has ${images.length}` : `none is "${wanted}"`;
  throw new OciUnpackError("NOT_FOUND", `cannot choose an image in "${archive}": ${problem}`, {
    ...(choices.length > 0 && { hint: `append one of these: ${choices.map((tag) => `:${tag}`).join(", ")}` }),
  });
}

function sameReference(tag: string, wanted: string): boolean {
  return tag === wanted || formatReference(parseReference(tag)) === formatReference(parseReference(wanted));
}

/** The digest of a layer's file, without reading it where it can be known. */
async function nameLayer(
  file: StoredFile,
  diffID: Digest | undefined,
  signal?: AbortSignal,
): Promise<{ readonly digest: Digest; readonly mediaType: string }> {
  const hasher = new Hasher("sha256");
  let compression: LayerCompression | undefined;
  for await (const chunk of file.read(signal)) {
    compression ??= compressionOf(chunk);
    if (compression === "none" && diffID !== undefined) return { digest: diffID, mediaType: layerTypes.none };
    hasher.update(chunk);
  }
  return { digest: hasher.digest(), mediaType: layerTypes[compression ?? "none"] };
}

const layerTypes: Readonly<Record<LayerCompression, string>> = {
  none: "application/vnd.oci.image.layer.v1.tar",
  gzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  zstd: "application/vnd.oci.image.layer.v1.tar+zstd",
};
