import { OciUnpackError } from "../base/errors.ts";
import type { CopyForm } from "../base/option-words.ts";
import { present } from "../base/present.ts";
import type { ImageSource } from "../blob/image-source.ts";
import type { Digest } from "../oci/digest.ts";
import { requireImage } from "../oci/document.ts";
import { mediaTypes } from "../oci/media-type.ts";
import { formatReference, parseReference, type Reference } from "../oci/reference.ts";
import { blobPath } from "../source/local/image-files.ts";
import type { CopiedSignatures, ImageContents } from "./image-contents.ts";

/** A file of a copy that is known before any blob has come. */
export interface SmallFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** An image that is copied, as far as it says what it is called. */
type NamedImage = Pick<ImageSource, "name" | "location">;

/**
 * All files of a copy except blobs: `index.json` first, then `oci-layout`, manifests and indexes.
 *
 * A docker archive is an OCI layout too, as docker writes it from version 25 on, with Docker's `manifest.json` in
 * addition. Its blobs are the image's, compressed as they are, so that no digest changes.
 */
export function smallFiles(source: NamedImage, contents: ImageContents, form: CopyForm): readonly SmallFile[] {
  const reference = referenceOf(source);
  const list = form === "docker-archive" ? [jsonFile("manifest.json", dockerList(contents, reference))] : [];
  const documents = [...contents.documents].map(([digest, bytes]) => ({ path: blobPath(digest), bytes }));
  return [
    jsonFile("index.json", indexOf(contents, reference)),
    jsonFile("oci-layout", { imageLayoutVersion: "1.0.0" }),
    ...list,
    ...documents,
  ];
}

function indexOf({ top, signatures = [] }: ImageContents, reference: Reference | undefined): object {
  const { mediaType, digest, sizeBytes: size } = top;
  const annotations = annotationsOf(reference);
  const entry = present({ mediaType, digest, size, annotations });
  const manifests = [entry, ...signatures.map(signatureEntry)];
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
}

/** Under its tag, as in a registry; what refers to an image is found by what it says itself (image-layout.md). */
function signatureEntry({ descriptor, manifest, tag }: CopiedSignatures): object {
  const { mediaType, digest, sizeBytes: size } = descriptor;
  const { artifactType = manifest.config.mediaType } = manifest;
  if (tag === undefined) return { mediaType, digest, size, artifactType };
  return { mediaType, digest, size, annotations: { "org.opencontainers.image.ref.name": tag } };
}

/** The tag, by which skopeo and umoci find the image, and the full name, which containerd and docker read. */
function annotationsOf(reference: Reference | undefined): Readonly<Record<string, string>> | undefined {
  if (reference?.tag === undefined) return undefined;
  return {
    "org.opencontainers.image.ref.name": reference.tag,
    "io.containerd.image.name": withoutDigest(reference),
  };
}

function dockerList({ manifests }: ImageContents, reference: Reference | undefined): object {
  const [manifest, ...others] = manifests;
  if (manifest === undefined || others.length > 0) {
    throw new OciUnpackError("INVALID_OPTION", "cannot copy the image: a docker archive has room for one platform", {
      hint: "choose one, or another form of copy",
    });
  }
  requireImage(manifest);
  const { config, layers } = manifest;
  const pathOf = ({ digest }: { readonly digest: Digest }) => blobPath(digest);
  const tags = reference?.tag === undefined ? null : [withoutDigest(reference)];
  return [{ Config: pathOf(config), RepoTags: tags, Layers: layers.map(pathOf) }];
}

/** What a copy is called after. A path is no name: the words before its colon would be taken for a repository. */
function referenceOf({ name, location }: NamedImage): Reference | undefined {
  if (location === undefined || location.transport === "docker") return referenceIn(name);
  return location.transport === "docker-daemon" ? location.reference : undefined;
}

/** The image's name as a reference, if it is one. */
function referenceIn(name: string): Reference | undefined {
  try {
    return parseReference(name);
  } catch {
    return undefined;
  }
}

function withoutDigest({ registry, path, tag }: Reference): string {
  return formatReference(present({ registry, path, tag }));
}

function jsonFile(path: string, value: object): SmallFile {
  return { path, bytes: Buffer.from(JSON.stringify(value)) };
}
