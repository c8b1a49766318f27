import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import * as zlib from "node:zlib";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import { storedFrame } from "../streams/zstd-frames.ts";
import type { RegistryDouble, StoredDescriptor } from "./registry-double.ts";
import { skipWithout } from "./tools.ts";

/** How a layer's archive is stored. `estargz` is gzip in several members, the last of them empty. */
export type Encoding = "gzip" | "zstd" | "plain" | "estargz";

export const encodings: readonly Encoding[] = ["gzip", "zstd", "plain", "estargz"];

/** Bytes with the name that an image gives them. */
export interface Blob {
  readonly descriptor: StoredDescriptor;
  readonly bytes: Uint8Array;
}

/** An image in memory, as a registry stores it. */
export interface Image {
  readonly manifest: Blob;
  readonly config: Blob;
  readonly layers: readonly Blob[];
  readonly platform: ImagePlatform;
}

export interface ImagePlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

export interface ImageOptions {
  /** Default: gzip. */
  readonly encoding?: Encoding;
  /** Whose media types the documents bear. Default: "oci". */
  readonly mediaTypes?: "oci" | "docker";
  /** Default: linux on amd64. */
  readonly platform?: ImagePlatform;
  /** The layers as they are stored, where they are not to be what `encoding` makes of the archives. */
  readonly layers?: readonly Blob[];
  /** Replaces the diffIDs that the archives have. */
  readonly diffIds?: readonly string[];
  /** Adds to the configuration, or replaces what is there. */
  readonly config?: object;
  /** Adds to the manifest. */
  readonly manifest?: object;
}

/** Makes an image of archives, the bottom layer first. */
export function image(archives: readonly Uint8Array[], options: ImageOptions = {}): Image {
  const { encoding = "gzip", mediaTypes = "oci", platform = { os: "linux", architecture: "amd64" } } = options;
  const types = namesOf[mediaTypes];
  const layers = options.layers ?? archives.map((archive) => layer(archive, encoding, mediaTypes));
  const config = jsonBlob(types.config, {
    ...platform,
    config: { Env: ["PATH=/usr/bin:/bin"], Cmd: ["/bin/sh"] },
    rootfs: { type: "layers", diff_ids: options.diffIds ?? archives.map((archive) => digestOf(archive)) },
    history: archives.map((_, layer) => ({ created_by: `layer ${layer}` })),
    ...options.config,
  });
  const manifest = jsonBlob(types.manifest, {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
    ...options.manifest,
  });
  return { manifest, config, layers, platform };
}

/** An archive, stored as a layer. */
export function layer(archive: Uint8Array, encoding: Encoding, mediaTypes: "oci" | "docker" = "oci"): Blob {
  return blob(namesOf[mediaTypes].layer[encoding], encoded(archive, encoding));
}

/** Makes an index of images, each described with its platform. */
export function imageIndex(images: readonly Image[]): Blob {
  const mediaType = "application/vnd.oci.image.index.v1+json";
  const manifests = images.map(({ manifest, platform }) => ({ ...manifest.descriptor, platform }));
  return jsonBlob(mediaType, { schemaVersion: 2, mediaType, manifests });
}

/** Puts an image into a registry double and gives the reference that it has there. */
export function stored(registry: RegistryDouble, repository: string, image: Image): string {
  for (const { bytes, descriptor } of [image.config, ...image.layers]) registry.addBlob(bytes, descriptor.mediaType);
  registry.addManifest(repository, "latest", image.manifest.bytes, image.manifest.descriptor.mediaType);
  return `${registry.host}/${repository}:latest`;
}

/** All blobs of an image, its documents included. */
export function blobsOf({ manifest, config, layers }: Image): readonly Blob[] {
  return [manifest, config, ...layers];
}

function encoded(archive: Uint8Array, encoding: Encoding): Uint8Array {
  switch (encoding) {
    case "plain":
      return archive;
    case "gzip":
      return zlib.gzipSync(archive);
    case "estargz":
      return inMembers(archive);
    case "zstd":
      return zstd(archive);
  }
}

export function blob(mediaType: string, bytes: Uint8Array): Blob {
  const digest: Digest = digestOf(bytes);
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
}

export function jsonBlob(mediaType: string, value: object): Blob {
  return blob(mediaType, Buffer.from(JSON.stringify(value)));
}

const namesOf = {
  oci: {
    manifest: "application/vnd.oci.image.manifest.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    layer: {
      plain: "application/vnd.oci.image.layer.v1.tar",
      gzip: "application/vnd.oci.image.layer.v1.tar+gzip",
      estargz: "application/vnd.oci.image.layer.v1.tar+gzip",
      zstd: "application/vnd.oci.image.layer.v1.tar+zstd",
    },
  },
  docker: {
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
    layer: {
      plain: "application/vnd.docker.image.rootfs.diff.tar",
      gzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
      estargz: "application/vnd.docker.image.rootfs.diff.tar.gzip",
      zstd: "application/vnd.docker.image.rootfs.diff.tar.zstd",
    },
  },
} as const;

/** One member for each 4 KiB, so that any of them can be inflated alone; then a footer that inflates to nothing. */
function inMembers(archive: Uint8Array): Uint8Array {
  const members: Uint8Array[] = [];
  for (let start = 0; start < archive.length; start += 4096) {
    members.push(zlib.gzipSync(archive.subarray(start, start + 4096)));
  }
  return Buffer.concat([...members, zlib.gzipSync(new Uint8Array(0))]);
}

/** Two frames. Node compresses with zstd from 22.15 on; before, the command of that name does, where there is one. */
function zstd(archive: Uint8Array): Uint8Array {
  const middle = archive.length >> 1;
  return Buffer.concat([archive.subarray(0, middle), archive.subarray(middle)].map(zstdFrame));
}

function zstdFrame(bytes: Uint8Array): Uint8Array {
  if ("zstdCompressSync" in zlib && typeof zlib.zstdCompressSync === "function") return zlib.zstdCompressSync(bytes);
  if (skipWithout("zstd") !== false) return storedFrame(bytes);
  return execFileSync("zstd", ["--quiet", "--stdout"], { input: bytes, maxBuffer: 1024 ** 3 });
}
