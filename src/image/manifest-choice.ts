import os from "node:os";
import { OciUnpackError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import { settleLimits } from "../base/option-checks.ts";
import { present } from "../base/present.ts";
import type { ImageSource } from "../blob/image-source.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { type ImageIndex, isListed } from "../oci/document.ts";
import { formatPlatform, hostPlatform, type Platform } from "../oci/platform.ts";
import { anyPlatform, type PlatformRequest, rank, requestPlatform } from "../oci/platform-request.ts";
import { ImageDocuments } from "./image-documents.ts";
import { type FoundImage, ImageSearch, platformText } from "./image-search.ts";
import type { ResolveOptions } from "./options.ts";

/** What to do where an index has nothing for this machine. */
export type Otherwise = "refuse" | "take-first";

/** Which manifest was chosen, and with what. */
export interface Choice {
  readonly name: string;
  readonly documents: ImageDocuments;
  readonly limits: Limits;
  readonly request: PlatformRequest;
  readonly search: ImageSearch;
  readonly found: Chosen;
  readonly indexDigest: Digest | undefined;
}

export async function chooseManifest(
  source: ImageSource,
  options: ResolveOptions,
  otherwise: Otherwise,
): Promise<Choice> {
  const { signal, onEvent } = options;
  signal?.throwIfAborted();
  const limits = settleLimits(options.limits);
  const request = requestPlatform(options.platform, thisMachine());
  const documents = new ImageDocuments(source, limits, present({ signal, onEvent }));
  const decided = (message: string) => tellPlatform(options, message);
  decided(wantedText(request));
  const search = new ImageSearch(documents, request, limits.indexDepth, decided);

  const { digest, document, bytes } = await documents.named();
  const choice = { name: source.name, documents, limits, request, search };
  if (document.kind === "manifest") {
    return { ...choice, found: { digest, manifest: document, bytes }, indexDigest: undefined };
  }
  let found: Chosen | undefined = await search.in(document);
  if (found === undefined && otherwise === "take-first" && !request.explicit) {
    found = await new ImageSearch(documents, anyPlatform(request), limits.indexDepth, decided).in(document);
  }
  if (found === undefined && search.platforms.length === 0) found = await artifactIn(document, choice);
  if (found === undefined) throw platformNotFound(source.name, request, search.platforms);
  return { ...choice, found, indexDigest: digest };
}

/**
 * The artifact in an index that lists no image: the one for the platform, or the only one if none is for a platform.
 */
async function artifactIn(
  { manifests }: ImageIndex,
  { name, documents, request }: Pick<Choice, "name" | "documents" | "request">,
): Promise<Chosen | undefined> {
  const listed = manifests.filter(isListed);
  const ranked = listed.flatMap((entry) => {
    const rankOfEntry = entry.platform && rank(request, entry.platform);
    return rankOfEntry === undefined ? [] : [{ entry, rank: rankOfEntry }];
  });
  const [best] = ranked.sort((one, other) => one.rank - other.rank);
  const stateless = listed.filter(({ platform }) => platform === undefined);
  const chosen = best?.entry ?? stateless[0];
  if (chosen === undefined) {
    if (listed.length === 0) return undefined;
    throw platformNotFound(
      name,
      request,
      listed.flatMap(({ platform }) => platform ?? []),
    );
  }
  if (best === undefined && stateless.length > 1) throw ambiguous(name, stateless);
  const { digest, document, bytes } = await documents.described(chosen);
  if (document.kind === "index") return undefined;
  return { digest, manifest: document, bytes, ...present({ platform: chosen.platform }) };
}

function ambiguous(name: string, listed: readonly Descriptor[]): OciUnpackError {
  const found = `its index lists ${listed.length}, none of them for a platform`;
  const digests = listed.slice(0, 10).map(({ digest, artifactType }) => {
    return artifactType === undefined ? digest : `${digest} (${artifactType.slice(0, 100)})`;
  });
  return new OciUnpackError("PLATFORM_NOT_FOUND", `cannot choose an artifact in "${name}": ${found}`, {
    hint: `name one by its digest: ${digests.join(", ")}`,
  });
}

/** Tells, for `--explain`, what was chosen. */
export function tellTaken({ found, indexDigest }: Choice, what: string, options: ResolveOptions): void {
  tellPlatform(
    options,
    `${what} is taken: ${found.digest}${indexDigest === undefined ? ", the only one there is" : ""}`,
  );
}

function tellPlatform({ onEvent }: ResolveOptions, message: string): void {
  onEvent?.({ type: "decision", topic: "platform", message });
}

/** The manifest, and what was learned by choosing it, if there was an index. */
type Chosen = Pick<FoundImage, "digest" | "manifest" | "bytes"> & Partial<FoundImage>;

function thisMachine(): Platform {
  return hostPlatform({ arch: os.arch(), platform: os.platform(), endianness: os.endianness(), machine: os.machine() });
}

/** For `--explain`: which platform is wanted, and which ones can be used instead. */
function wantedText({ acceptable, explicit }: PlatformRequest): string {
  const [first = "", ...others] = acceptable.map(platformText);
  const instead = others.length === 0 ? "an index must list it" : `else ${others.join(", ")}, in this order`;
  return `${first} is wanted${explicit ? "" : ", as this machine is"}; ${instead}`;
}

/** Each platform once. */
export function distinct(platforms: readonly Platform[]): readonly Platform[] {
  return [...new Map(platforms.map((platform) => [platformText(platform), platform])).values()];
}

export function platformNotFound(
  name: string,
  request: PlatformRequest,
  available: readonly Platform[],
): OciUnpackError {
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
