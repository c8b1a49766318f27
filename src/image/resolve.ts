import os from "node:os";
import { limitExceeded, OciUnpackError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import { settleLimits } from "../base/option-checks.ts";
import { present } from "../base/present.ts";
import type { ImageSource } from "../blob/image-source.ts";
import type { ImageConfig } from "../oci/config.ts";
import { type Descriptor, inlineContent } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { type Manifest, requireImage } from "../oci/document.ts";
import { formatPlatform, hostPlatform, type Platform, unknown } from "../oci/platform.ts";
import { anyPlatform, type PlatformRequest, rank, requestPlatform } from "../oci/platform-request.ts";
import type { VerifiedSignature } from "../trust/options.ts";
import { ImageDocuments } from "./image-documents.ts";
import { type FoundImage, ImageSearch, platformText } from "./image-search.ts";
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
  const choice = await chooseManifest(source, options, otherwise);
  const { documents, request, search, found, indexDigest } = choice;
  requireImage(found.manifest);
  const { config, bytes } = found.config ?? (await documents.config(found.manifest.config));
  const platform = found.platform ?? config.platform;
  if (rank(request, platform) === undefined) {
    if (request.explicit) throw platformNotFound(source.name, request, [platform]);
    warnOfPlatform(platform, request, options);
  }
  tellTaken(choice, platformText(platform), options);
  const layers = layersOf(found.manifest, config);
  checkLimits(layers, choice.limits);
  checkHistory(config, options);
  options.signal?.throwIfAborted();

  return {
    reference: source.name,
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

/** What to do where an index has nothing for this machine. */
type Otherwise = "refuse" | "take-first";

/** Which manifest was chosen, and with what. */
interface Choice {
  readonly documents: ImageDocuments;
  readonly limits: Limits;
  readonly request: PlatformRequest;
  readonly search: ImageSearch;
  readonly found: Chosen;
  readonly indexDigest: Digest | undefined;
}

async function chooseManifest(source: ImageSource, options: ResolveOptions, otherwise: Otherwise): Promise<Choice> {
  const { signal, onEvent } = options;
  signal?.throwIfAborted();
  const limits = settleLimits(options.limits);
  const request = requestPlatform(options.platform, thisMachine());
  const documents = new ImageDocuments(source, limits, present({ signal, onEvent }));
  const decided = (message: string) => tellPlatform(options, message);
  decided(wantedText(request));
  const search = new ImageSearch(documents, request, limits.indexDepth, decided);

  const { digest, document } = await documents.named();
  if (document.kind === "manifest") {
    return { documents, limits, request, search, found: { digest, manifest: document }, indexDigest: undefined };
  }
  let found: Chosen | undefined = await search.in(document);
  if (found === undefined && otherwise === "take-first" && !request.explicit) {
    found = await new ImageSearch(documents, anyPlatform(request), limits.indexDepth, decided).in(document);
  }
  if (found === undefined) throw platformNotFound(source.name, request, search.platforms);
  return { documents, limits, request, search, found, indexDigest: digest };
}

function tellTaken({ found, indexDigest }: Choice, what: string, options: ResolveOptions): void {
  tellPlatform(
    options,
    `${what} is taken: ${found.digest}${indexDigest === undefined ? ", the only one there is" : ""}`,
  );
}

function tellPlatform({ onEvent }: ResolveOptions, message: string): void {
  onEvent?.({ type: "decision", topic: "platform", message });
}

/** The manifest, and what was learned by choosing it, if there was an index. */
type Chosen = Pick<FoundImage, "digest" | "manifest"> & Partial<FoundImage>;

function thisMachine(): Platform {
  return hostPlatform({ arch: os.arch(), platform: os.platform(), endianness: os.endianness(), machine: os.machine() });
}

/** For `--explain`: which platform is wanted, and which ones can be used instead. */
function wantedText({ acceptable, explicit }: PlatformRequest): string {
  const [first = "", ...others] = acceptable.map(platformText);
  const instead = others.length === 0 ? "an index must list it" : `else ${others.join(", ")}, in this order`;
  return `${first} is wanted${explicit ? "" : ", as this machine is"}; ${instead}`;
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

function checkLimits(layers: readonly ImageLayer[], limits: Limits): void {
  if (layers.length > limits.layers) throw tooMuch("layers", `it has ${layers.length} layers`, limits);
  const sizes = new Map(layers.map(({ descriptor }) => [descriptor.digest, descriptor.sizeBytes]));
  const downloadBytes = [...sizes.values()].reduce((total, sizeBytes) => total + sizeBytes, 0);
  if (downloadBytes > limits.downloadBytes)
    throw tooMuch("downloadBytes", `its layers have ${downloadBytes} bytes`, limits);
}

function tooMuch(limit: keyof Limits, found: string, limits: Limits): OciUnpackError {
  const allowed = limits[limit];
  return limitExceeded(`cannot accept the image: ${found}, ${allowed} are allowed (${limit})`, limit, { allowed });
}

/** The history is only for people, so the image is not refused if it has another number of layers. */
function checkHistory(config: ImageConfig, options: ResolveOptions): void {
  const steps = config.history?.filter(({ isEmptyLayer }) => !isEmptyLayer).length;
  if (steps === undefined || steps === 0 || steps === config.diffIDs.length) return;
  const message = `the history tells of ${steps} layers, there are ${config.diffIDs.length}`;
  if (options.strict) throw new OciUnpackError("STRICT_VIOLATION", `cannot accept the image: ${message}`);
  options.onEvent?.({ type: "warning", code: "HISTORY_DISAGREES", message });
}

/** Each platform once. */
function distinct(platforms: readonly Platform[]): readonly Platform[] {
  return [...new Map(platforms.map((platform) => [platformText(platform), platform])).values()];
}

function platformNotFound(name: string, request: PlatformRequest, available: readonly Platform[]): OciUnpackError {
  const platforms = distinct(available).map(platformText);
  const listed =
    platforms.slice(0, 50).join(", ") + (platforms.length > 50 ? ` and ${platforms.length - 50} more` : "");
  const wanted = formatPlatform(request.platform);
  if (listed === "")
    return new OciUnpackError(
      "PLATFORM_NOT_FOUND",
      `cannot find an image for ${wanted} in "${name}": it lists no image`,
    );
  return new OciUnpackError(
    "PLATFORM_NOT_FOUND",
    `cannot find an image for ${wanted} in "${name}": there is ${listed}`,
    {
      hint: "ask for one of these with `platform`",
    },
  );
}
