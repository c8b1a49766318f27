import { gzipSync } from "node:zlib";
import { mediaTypes } from "../../src/oci/media-type.ts";
import type { Content, MemorySource } from "./memory-source.ts";

/** The annotation for the name of a layer (image-spec, annotations.md). */
export const title = "org.opencontainers.image.title";

/** The layer that oras makes of a directory. */
export const ociLayer = "application/vnd.oci.image.layer.v1.tar+gzip";

/** A layer of an artifact. */
export interface ArtifactLayer {
  readonly name?: string;
  readonly content: Content;
  /** Default: that of a file. */
  readonly mediaType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface ArtifactContent {
  /** Default: an empty one, in the manifest itself. */
  readonly config?: { readonly mediaType: string; readonly content: Content };
  readonly artifactType?: string;
}

/** Puts an artifact with these layers into a source. Gives what its manifest says. */
export function addArtifact(
  source: MemorySource,
  name: string,
  layers: readonly ArtifactLayer[],
  { config, artifactType = "application/vnd.example" }: ArtifactContent = {},
): string {
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType,
    config:
      config === undefined
        ? { ...source.add(mediaTypes.empty, "{}"), data: "e30=" }
        : source.add(config.mediaType, config.content),
    layers: layers.map(({ name, content, mediaType = "application/x-file", annotations = {} }) => ({
      ...source.add(mediaType, content),
      annotations: { ...(name !== undefined && { [title]: name }), ...annotations },
    })),
  });
  source.name(name, mediaTypes.ociManifest, manifest);
  return manifest;
}

/** A layer that is a directory, as oras marks it. */
export function directoryLayer(
  name: string,
  archive: Uint8Array,
  annotations: Readonly<Record<string, string>> = {},
): ArtifactLayer {
  return {
    name,
    content: gzipSync(archive),
    mediaType: ociLayer,
    annotations: { "io.deis.oras.content.unpack": "true", ...annotations },
  };
}
