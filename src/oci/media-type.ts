/** The media types of the documents of images and artifacts, the OCI's and Docker's. */
export const mediaTypes = {
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociConfig: "application/vnd.oci.image.config.v1+json",
  /** Of what is there because something has to be (image-spec, manifest.md, "Guidance for an Empty Descriptor"). */
  empty: "application/vnd.oci.empty.v1+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerSchema1: "application/vnd.docker.distribution.manifest.v1+json",
  dockerSchema1Signed: "application/vnd.docker.distribution.manifest.v1+prettyjws",
} as const;

/**
 * What a request for a manifest accepts. With a wildcard or schema 1 in it, some registries would convert the manifest.
 */
export const manifestAccept: readonly string[] = [
  mediaTypes.ociIndex,
  mediaTypes.dockerList,
  mediaTypes.ociManifest,
  mediaTypes.dockerManifest,
];

export type DocumentKind = "index" | "manifest" | "schema1";

const documentKinds: Readonly<Record<string, DocumentKind>> = {
  [mediaTypes.ociIndex]: "index",
  [mediaTypes.dockerList]: "index",
  [mediaTypes.ociManifest]: "manifest",
  [mediaTypes.dockerManifest]: "manifest",
  [mediaTypes.dockerSchema1]: "schema1",
  [mediaTypes.dockerSchema1Signed]: "schema1",
};

/** How a layer is compressed, as its media type says. */
export type LayerCompression = "gzip" | "zstd" | "none";

const layerCompressions: Readonly<Record<string, LayerCompression>> = {
  "application/vnd.oci.image.layer.v1.tar": "none",
  "application/vnd.oci.image.layer.v1.tar+gzip": "gzip",
  "application/vnd.oci.image.layer.v1.tar+zstd": "zstd",
  "application/vnd.oci.image.layer.nondistributable.v1.tar": "none",
  "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip": "gzip",
  "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd": "zstd",
  "application/vnd.docker.image.rootfs.diff.tar": "none",
  "application/vnd.docker.image.rootfs.diff.tar.gzip": "gzip",
  "application/vnd.docker.image.rootfs.diff.tar.zstd": "zstd",
  "application/vnd.docker.image.rootfs.foreign.diff.tar": "none",
  "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip": "gzip",
  "application/vnd.docker.image.rootfs.foreign.diff.tar.zstd": "zstd",
};

const configTypes: readonly string[] = [
  mediaTypes.ociConfig,
  mediaTypes.dockerConfig,
  // Some registries once returned configs with the type that their storage had, and images from then still state it.
  "application/octet-stream",
  "application/json",
  "text/html",
  "",
];

const saysNothing: readonly string[] = [
  "",
  "application/json",
  "text/json",
  "text/plain",
  "application/octet-stream",
  "binary/octet-stream",
];

/** A media type without its parameters, in lower case (RFC 6838, section 4.2). */
export function bareMediaType(text: string): string {
  const semicolon = text.indexOf(";");
  return (semicolon < 0 ? text : text.slice(0, semicolon)).trim().toLowerCase();
}

/** The kind of a document with that media type; `undefined` for all other types. */
export function documentKind(mediaType: string): DocumentKind | undefined {
  return Object.hasOwn(documentKinds, mediaType) ? documentKinds[mediaType] : undefined;
}

/** How a layer with that media type is compressed; `undefined` for all other types. */
export function layerCompression(mediaType: string): LayerCompression | undefined {
  return Object.hasOwn(layerCompressions, mediaType) ? layerCompressions[mediaType] : undefined;
}

/** What the types of layers of files begin with, also of those that are not known here, such as encrypted ones. */
const layerPrefixes: readonly string[] = ["application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs."];

/** Whether a layer with that media type is one of an image's files, whether it can be unpacked or not. */
export function isImageLayer(mediaType: string): boolean {
  return layerPrefixes.some((prefix) => mediaType.startsWith(prefix));
}

/** Whether the config of an image may have that type. With any other type a manifest is an artifact. */
export function isImageConfig(mediaType: string): boolean {
  return configTypes.includes(mediaType);
}

/** Whether a Content-Type is so general that only the body can tell what it is. */
export function isVague(mediaType: string): boolean {
  return saysNothing.includes(mediaType);
}
