import type { Limits } from "../base/limits.ts";
import { present } from "../base/present.ts";
import { checkedName } from "../layer/entry-checks.ts";
import { entryLimitExceeded, refusal } from "../layer/findings.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, encodedOf, parseDigest } from "../oci/digest.ts";
import type { Manifest } from "../oci/document.ts";
import { type LayerCompression, layerCompression } from "../oci/media-type.ts";
import { type ByteString, byteStringOf, textOf } from "../tar/byte-string.ts";

/** What a layer of an artifact becomes. */
export interface ArtifactFile {
  /** Its path: names joined by slashes. */
  readonly name: string;
  /** A file, byte for byte; or what an archive has in it, at that path and below. */
  readonly form: "file" | "archive";
  readonly descriptor: Descriptor;
  /** How an archive is compressed, where its media type says it. */
  readonly compression?: LayerCompression;
  /** The digest of a decompressed archive, where the artifact states it. */
  readonly contentDigest?: Digest;
}

const titleAnnotation = "org.opencontainers.image.title";
/** ModelPack's, which has directories in it where a title may have none. */
const filePathAnnotation = "org.cncf.model.filepath";
/** Says of what oras made of a directory that it is one. */
const unpackAnnotation = "io.deis.oras.content.unpack";
const contentDigestAnnotation = "io.deis.oras.content.digest";

/**
 * What the layers of an artifact become, in their order. One without a name has the digits of its digest.
 *
 * Throws `ENTRY_REFUSED` for names that lead out, or that two layers have, or where one is below another's: each layer
 * is the only one that has a say about what is at its name.
 */
export function artifactFiles({ layers }: Manifest, limits: Limits): readonly ArtifactFile[] {
  const claims = new Claims();
  const unnamed = new Set<Digest>();
  return layers.flatMap((descriptor) => {
    const stated = nameOf(descriptor);
    if (stated === undefined && unnamed.has(descriptor.digest)) return [];
    if (stated === undefined) unnamed.add(descriptor.digest);
    const path = byteStringOf(stated ?? encodedOf(descriptor.digest));
    const names = namesIn(path, limits);
    claims.add(names, path);
    return [{ name: textOf(names.join("/") as ByteString), ...formOf(descriptor), descriptor }];
  });
}

function annotationOf({ annotations = {} }: Descriptor, name: string): string | undefined {
  return Object.hasOwn(annotations, name) ? annotations[name] : undefined;
}

function nameOf(descriptor: Descriptor): string | undefined {
  const name = annotationOf(descriptor, filePathAnnotation) ?? annotationOf(descriptor, titleAnnotation);
  return name === "" ? undefined : name;
}

function namesIn(path: ByteString, { pathBytes, pathDepth }: Limits): readonly ByteString[] {
  if (path.length > pathBytes) {
    throw entryLimitExceeded(path, `a path of ${path.length} bytes`, "pathBytes", pathBytes);
  }
  if (path.startsWith("/")) throw refusal(path, "an absolute name");
  const names = (path.split("/") as ByteString[]).filter((name) => name !== "" && name !== ".");
  if (names.includes(".." as ByteString)) throw refusal(path, "a name that leads upwards");
  if (names.length === 0) throw refusal(path, "a name of nothing");
  if (names.length > pathDepth) throw entryLimitExceeded(path, `more than ${pathDepth} names`, "pathDepth", pathDepth);
  return names.map((name) => checkedName(name, path));
}

/** Sees to it that no two layers have a say about the same path. */
class Claims {
  readonly #files = new Set<string>();
  readonly #parents = new Set<string>();

  add(names: readonly ByteString[], path: ByteString): void {
    const own = names.join("/");
    if (this.#files.has(own)) throw refusal(path, "a name that two layers have");
    if (this.#parents.has(own)) throw refusal(path, "a name below which another layer has one");
    let parent = "";
    for (const name of names.slice(0, -1)) {
      parent = parent === "" ? name : `${parent}/${name}`;
      if (this.#files.has(parent)) throw refusal(path, "a name below that of another layer");
      this.#parents.add(parent);
    }
    this.#files.add(own);
  }
}

function formOf(descriptor: Descriptor): Pick<ArtifactFile, "form" | "compression" | "contentDigest"> {
  const { mediaType } = descriptor;
  const isDirectory = annotationOf(descriptor, unpackAnnotation) === "true";
  if (!isDirectory && !isModelArchive(mediaType)) return { form: "file" };
  const digest = annotationOf(descriptor, contentDigestAnnotation);
  const contentDigest = digest === undefined ? undefined : parseDigest(digest);
  return present({ form: "archive" as const, compression: compressionOf(mediaType), contentDigest });
}

function isModelArchive(mediaType: string): boolean {
  return mediaType.startsWith("application/vnd.cncf.model.") && /\.tar(?:\+gzip|\+zstd)?$/.test(mediaType);
}

function compressionOf(mediaType: string): LayerCompression | undefined {
  const known = layerCompression(mediaType);
  if (known !== undefined) return known;
  if (mediaType.endsWith("+gzip")) return "gzip";
  if (mediaType.endsWith("+zstd")) return "zstd";
  return mediaType.endsWith(".tar") ? "none" : undefined;
}
