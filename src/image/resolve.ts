import { OciUnpackError } from "../base/errors.ts";
import { settleLimits } from "../base/option-checks.ts";
import { present } from "../base/present.ts";
import type { ImageSource } from "../blob/image-source.ts";
import type { ImageConfig } from "../oci/config.ts";
import { type Descriptor, inlineContent } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { isImage, type Manifest, requireImage } from "../oci/document.ts";
import { type Platform, unknown } from "../oci/platform.ts";
import { type PlatformRequest, rank } from "../oci/platform-request.ts";
import type { VerifiedSignature } from "../trust/options.ts";
import { type Artifact, artifactOf } from "./artifact.ts";
import { checkDownload } from "./download-limits.ts";
import { ImageDocuments } from "./image-documents.ts";
import { platformText } from "./image-search.ts";
import {
  type Choice,
  chooseManifest,
  distinct,
  type Otherwise,
  platformNotFound,
  tellTaken,
} from "./manifest-choice.ts";
import type { ResolvedImage, ResolveOptions } from "./options.ts";

/** The image of a name, for one platform. Nothing of its layers has been fetched. */
export interface Image {
  /** The canonical name of the image. */
  readonly reference: string;
  /** The digest of the manifest. */
  readonly digest: Digest;
  /** The digest of the index, if the name is that of an index. */
  readonly indexDigest?: Digest;
  /** The platform that the index states, or else the config. */
  readonly platform: Platform;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  /** The bytes of the config, which have its digest. */
  readonly configBytes: Uint8Array;
  /** Bottom layer first. */
  readonly layers: readonly ImageLayer[];
  /** The entries of the index, with this manifest, other platforms and attestations. Empty if there is no index. */
  readonly manifests: readonly Descriptor[];
  /** The platforms for which there are images, each once, as far as documents had to be read to choose one. */
  readonly platforms: readonly Platform[];
  /** The signatures that were verified; absent where none was demanded. */
  readonly verified?: readonly VerifiedSignature[];
}

/** A layer, as it is stored and as the archive that it contains. */
export interface ImageLayer {
  readonly descriptor: Descriptor;
  /** The digest of the decompressed archive. */
  readonly diffID: Digest;
}

/**
 * Finds out what the image is that a source's name stands for: manifest and config of the platform that is wanted, each
 * verified. Nothing of its layers is asked for.
 *
 * Where the name stands for an index, the platform chooses from it. Where it stands for a single manifest, that is
 * taken, unless a platform was asked for that it is not for. Where an index has nothing for this machine, and nobody
 * asked for a platform, `otherwise` says what to do: to refuse, or to take the first image that there is.
 */
export async function resolveImage(
  source: ImageSource,
  options: ResolveOptions = {},
  otherwise: Otherwise = "refuse",
): Promise<Image> {
  return await imageOf(await chooseManifest(source, options, otherwise), options);
}

/**
 * As `resolveImage`, where an artifact will do too: anything that is no image. The config of an artifact is not read,
 * and no platform is wanted of it where it states none.
 */
export async function resolveAny(
  source: ImageSource,
  options: ResolveOptions = {},
  otherwise: Otherwise = "refuse",
): Promise<ResolvedAny> {
  const choice = await chooseManifest(source, options, otherwise);
  if (isImage(choice.found.manifest)) return { kind: "image", image: await imageOf(choice, options) };
  return { kind: "artifact", artifact: artifactOf(choice, options) };
}

/** What a name turned out to stand for. */
export type ResolvedAny =
  | { readonly kind: "image"; readonly image: Image }
  | { readonly kind: "artifact"; readonly artifact: Artifact };

async function imageOf(choice: Choice, options: ResolveOptions): Promise<Image> {
  const { name, documents, request, search, found, indexDigest } = choice;
  requireImage(found.manifest);
  const { config, bytes } = found.config ?? (await documents.config(found.manifest.config));
  const platform = found.platform ?? config.platform;
  if (rank(request, platform) === undefined) {
    if (request.explicit) throw platformNotFound(name, request, [platform]);
    warnOfPlatform(platform, request, options);
  }
  tellTaken(choice, platformText(platform), options);
  const layers = layersOf(found.manifest, config);
  checkDownload(layers, choice.limits);
  checkHistory(config, options);
  options.signal?.throwIfAborted();

  return {
    reference: name,
    digest: found.digest,
    ...present({ indexDigest }),
    platform,
    manifest: found.manifest,
    config,
    configBytes: bytes,
    layers,
    manifests: search.entries,
    platforms: distinct(indexDigest === undefined ? [platform] : search.platforms),
  };
}

/**
 * Finds the manifest that a source's name stands for, of an image or of any other artifact, as `inspect` chooses it. No
 * config is read, unless an index has to be chosen from that states no platform.
 */
export async function resolveManifest(source: ImageSource, options: ResolveOptions): Promise<ResolvedImage> {
  const choice = await chooseManifest(source, options, "take-first");
  const { request, indexDigest, found } = choice;
  const { digest, manifest, platform } = found;
  if (platform !== undefined && rank(request, platform) === undefined) warnOfPlatform(platform, request, options);
  tellTaken(choice, platform === undefined ? "the manifest" : platformText(platform), options);
  return { reference: source.name, digest, manifest, ...present({ indexDigest, platform }) };
}

/** Finds what a source's name stands for: a manifest, or an index from which nothing is chosen. */
export async function resolveName(source: ImageSource, options: ResolveOptions): Promise<ResolvedImage> {
  const { signal, onEvent } = options;
  const documents = new ImageDocuments(source, settleLimits(options.limits), present({ signal, onEvent }));
  const { digest, document } = await documents.named();
  const kind = document.kind === "index" ? { indexDigest: digest } : { manifest: document };
  return { reference: source.name, digest, ...kind };
}

/** Warns that the image is for another platform, which nobody asked for: it may not run on this machine. */
function warnOfPlatform(platform: Platform, { platform: wanted }: PlatformRequest, { onEvent }: ResolveOptions): void {
  if (platform.os === unknown || platform.architecture === unknown) return;
  const message = `the image is for ${platformText(platform)}, and this machine is ${platformText(wanted)}`;
  onEvent?.({ type: "warning", code: "PLATFORM_DIFFERS", message });
}

/** Pairs each layer with its diffID (S13, S14), and verifies layers that are in their descriptors. */
function layersOf(manifest: Manifest, config: ImageConfig): readonly ImageLayer[] {
  const { diffIDs } = config;
  if (manifest.layers.length !== diffIDs.length) {
    const found = `the manifest has ${manifest.layers.length}, its config states the diffIDs of ${diffIDs.length}`;
    throw new OciUnpackError("INVALID_CONFIG", `cannot match the layers to their diffIDs: ${found}`);
  }
  for (const descriptor of manifest.layers) inlineContent(descriptor);
  return diffIDs.flatMap((diffID, index) => {
    const descriptor = manifest.layers[index];
    return descriptor === undefined ? [] : [{ descriptor, diffID }];
  });
}

/** The history is only for people, so the image is not refused if it has another number of layers. */
function checkHistory(config: ImageConfig, options: ResolveOptions): void {
  const steps = config.history?.filter(({ isEmptyLayer }) => !isEmptyLayer).length;
  if (steps === undefined || steps === 0 || steps === config.diffIDs.length) return;
  const message = `the history tells of ${steps} layers, there are ${config.diffIDs.length}`;
  if (options.strict) throw new OciUnpackError("STRICT_VIOLATION", `cannot accept the image: ${message}`);
  options.onEvent?.({ type: "warning", code: "HISTORY_DISAGREES", message });
}
