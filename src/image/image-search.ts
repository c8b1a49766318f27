import { limitExceeded, type OciUnpackError } from "../base/errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { type ImageIndex, isCandidate, isImage, type Manifest } from "../oci/document.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { type PlatformRequest, rank } from "../oci/platform-request.ts";
import type { ImageDocuments, ReadConfig } from "./image-documents.ts";

/** How many entries of an index are told for `--explain`. */
const mostTold = 50;

/** The manifest that was chosen, with its config if that had to be read to choose it. */
export interface FoundImage {
  readonly digest: Digest;
  readonly manifest: Manifest;
  readonly bytes: Uint8Array;
  readonly platform: Platform;
  readonly rank: number;
  readonly config?: ReadConfig;
}

/**
 * Searches an index, and the indexes that it lists, for the image for a platform (R-36).
 *
 * Entries that state a platform come first, the best match before others, equal ones in the order of the index. Only if
 * none of them can be used, the entries without a platform are read; then their configs state it.
 */
export class ImageSearch {
  readonly #documents: ImageDocuments;
  readonly #request: PlatformRequest;
  readonly #indexDepth: number;
  readonly #decided: (message: string) => void;
  readonly #entries: Descriptor[] = [];
  readonly #platforms: Platform[] = [];
  /**
   * The entries that have been read: indexes may list the same ones. The key says whether the entry stated a
   * platform.
   */
  readonly #read = new Set<string>();

  /** `decided` is called with how the entries of each index were judged. */
  constructor(
    documents: ImageDocuments,
    request: PlatformRequest,
    indexDepth: number,
    decided: (message: string) => void = () => {},
  ) {
    this.#documents = documents;
    this.#request = request;
    this.#indexDepth = indexDepth;
    this.#decided = decided;
  }

  /** All entries of the indexes that were read: the chosen manifest, other platforms, attestations. */
  get entries(): readonly Descriptor[] {
    return this.#entries;
  }

  /** The platforms that were found. */
  get platforms(): readonly Platform[] {
    return this.#platforms;
  }

  /** The best match in the index, if there is one. `depth` is 1 for the index of the image's name. */
  async in(index: ImageIndex, depth = 1): Promise<FoundImage | undefined> {
    if (depth > this.#indexDepth) throw tooDeep(this.#indexDepth);
    const candidates = index.manifests.filter(isCandidate);
    for (const entry of index.manifests) this.#entries.push(entry);
    for (const { platform } of candidates) if (platform !== undefined) this.#platforms.push(platform);

    this.#decided(`the index lists ${this.#judged(candidates, index.manifests.length)}`);
    for (const entry of this.#ranked(candidates)) {
      const found = await this.#open(entry, depth);
      if (found !== undefined) return found;
    }
    return this.#bestUnstated(candidates, depth);
  }

  /** The entries whose stated platform can be used, the best first. Equal ones keep the order of the index. */
  #ranked(candidates: readonly Descriptor[]): readonly Descriptor[] {
    const ranked = candidates.flatMap((entry) => {
      const rankOfEntry = entry.platform && rank(this.#request, entry.platform);
      return rankOfEntry === undefined ? [] : [{ entry, rank: rankOfEntry }];
    });
    return ranked.sort((one, other) => one.rank - other.rank).map(({ entry }) => entry);
  }

  /** The candidates and their ranks, for `--explain`. */
  #judged(candidates: readonly Descriptor[], listed: number): string {
    const told = candidates.slice(0, mostTold).map(({ platform }) => {
      if (platform === undefined) return "one without a platform (read if no other will do)";
      const choice = rank(this.#request, platform);
      return `${platformText(platform)} (${choice === undefined ? "will not do" : `choice ${choice + 1}`})`;
    });
    const others = [
      ...(candidates.length > mostTold ? [`${candidates.length - mostTold} more`] : []),
      ...(listed > candidates.length ? [`${listed - candidates.length} of no image`] : []),
    ];
    return [...told, ...others].join(", ") || "nothing";
  }

  async #bestUnstated(candidates: readonly Descriptor[], depth: number): Promise<FoundImage | undefined> {
    let best: FoundImage | undefined;
    for (const entry of candidates) {
      if (entry.platform !== undefined) continue;
      const found = await this.#open(entry, depth);
      if (found !== undefined && found.rank < (best?.rank ?? Number.POSITIVE_INFINITY)) best = found;
      if (best?.rank === 0) break;
    }
    return best;
  }

  async #open(entry: Descriptor, depth: number): Promise<FoundImage | undefined> {
    const reading = `${entry.digest} ${entry.platform === undefined}`;
    if (this.#read.has(reading)) return undefined;
    this.#read.add(reading);
    const { digest, document, bytes } = await this.#documents.described(entry);
    if (document.kind === "index") return this.in(document, depth + 1);
    if (entry.platform !== undefined)
      return this.#found({ digest, manifest: document, bytes, platform: entry.platform });
    // An artifact has no platform, and its config must not be parsed (R-40).
    if (!isImage(document)) return undefined;
    const config = await this.#documents.config(document.config);
    const { platform } = config.config;
    this.#platforms.push(platform);
    return this.#found({ digest, manifest: document, bytes, platform, config });
  }

  #found(candidate: Omit<FoundImage, "rank">): FoundImage | undefined {
    const rankOfCandidate = rank(this.#request, candidate.platform);
    return rankOfCandidate === undefined ? undefined : { ...candidate, rank: rankOfCandidate };
  }
}

/** A platform for people, cut: an index may state a text of any length. */
export function platformText(platform: Platform): string {
  return formatPlatform(platform).slice(0, 100);
}

function tooDeep(indexDepth: number): OciUnpackError {
  const message = `cannot choose an image: indexes lead to indexes more than ${indexDepth} deep (indexDepth)`;
  return limitExceeded(message, "indexDepth", { allowed: indexDepth });
}
