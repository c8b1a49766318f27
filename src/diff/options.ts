import { type Kinds, text, words } from "../base/option-checks.ts";
import { type DifferentPart, differentParts } from "../base/option-words.ts";
import { type ResolveOptions, resolveKinds } from "../image/options.ts";
import { applyKinds, type OperationResult, partialKinds, type UnpackOptions } from "../operation/options.ts";
import type { ConfigDifference } from "./config-differences.ts";
import type { ImageDifference } from "./difference.ts";

/** Those that say how to choose and fetch an image hold for both. */
export interface DiffOptions
  extends ResolveOptions,
    Pick<UnpackOptions, "keepDirlinks" | "sourceDateEpoch" | "partial"> {
  /** The platform of the second image, where it is another one. */
  readonly secondPlatform?: ResolveOptions["platform"];
  /** Where the second image comes from, if not from where the first does. */
  readonly secondSource?: ResolveOptions["source"];
  /**
   * Compares only what is at this path and below it. Symlinks on the way are followed, inside each image; one at the end is
   * not, unless a slash follows its name. Default: everything.
   */
  readonly path?: string;
  /** What need not be the same. Default: nothing. */
  readonly ignore?: readonly DifferentPart[];
}

export const diffKinds: Kinds<DiffOptions> = {
  ...resolveKinds,
  ...partialKinds,
  keepDirlinks: applyKinds.keepDirlinks,
  sourceDateEpoch: applyKinds.sourceDateEpoch,
  secondPlatform: resolveKinds.platform,
  secondSource: resolveKinds.source,
  path: text,
  ignore: words(...differentParts),
};

/** The options of one image. */
export type OneImageOptions = Omit<DiffOptions, "secondPlatform" | "secondSource" | "path" | "ignore">;

const { secondPlatform: _platform, secondSource: _source, path: _path, ignore: _ignore, ...kinds } = diffKinds;
export const oneImageKinds: Kinds<OneImageOptions> = kinds;

/** The options of the first image, and those of the second. */
export function optionsOfEach({
  secondPlatform,
  secondSource,
  path: _path,
  ignore: _ignore,
  ...first
}: DiffOptions): readonly [OneImageOptions, OneImageOptions] {
  const second = {
    ...first,
    ...(secondPlatform !== undefined && { platform: secondPlatform }),
    ...(secondSource !== undefined && { source: secondSource }),
  };
  return [first, second];
}

/** What two images are that were compared, and how their configurations differ. */
export interface ComparedImages {
  readonly from: Omit<OperationResult, "milliseconds">;
  readonly to: Omit<OperationResult, "milliseconds">;
  /** The members of the object `config` of their configurations that are not the same, by name. */
  readonly config: readonly ConfigDifference[];
}

export interface DiffResult extends ComparedImages {
  /** Whether neither the files nor the object `config` differ, apart from what was ignored. */
  readonly same: boolean;
  /** How many differences of files there were. */
  readonly differenceCount: number;
  /** How many layers had to be read; those that both images have at the bottom only if need be, and they count once. */
  readonly readLayers: number;
  /** Bytes that came from the sources for it, documents and layers together. */
  readonly fetchedBytes: number;
  /** How long the call took. */
  readonly milliseconds: number;
}

/** The differences of two images, which can be iterated, once. Comparing begins with the iteration, and ends with it. */
export interface ImageComparison extends AsyncIterable<ImageDifference> {
  /** Fulfilled before the first difference comes; rejected with the error that the iteration throws. */
  readonly images: Promise<ComparedImages>;
  /** Fulfilled when all differences were taken; rejected with the error that the iteration throws. */
  readonly result: Promise<DiffResult>;
}
