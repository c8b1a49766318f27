import { defaultLimits } from "../../src/base/limits.ts";
import type { DifferentPart } from "../../src/base/option-words.ts";
import { BothTrees, type Which } from "../../src/diff/both-trees.ts";
import type { ImageDifference } from "../../src/diff/difference.ts";
import { type ApplyOptions, applySettings } from "../../src/layer/settings.ts";
import { byteStringOf } from "../../src/tar/byte-string.ts";
import { TarDecoder } from "../../src/tar/decoder.ts";
import { TocDecoder } from "../../src/toc/toc-decoder.ts";
import { sourceOf } from "../model/archive.ts";
import { tocOf } from "../toc/toc-of.ts";

interface Comparing extends ApplyOptions {
  /** How many layers both have at the bottom, to be merged into both trees at once. Default: 0. */
  readonly shared?: number;
  /** Whether the indexes of the layers are read in their stead. Default: false. */
  readonly indexed?: boolean;
  readonly ignored?: readonly DifferentPart[];
  readonly path?: string;
}

/** The differences of two stacks of archives, as the comparing thread finds them. */
export function compared(
  first: readonly Uint8Array[],
  second: readonly Uint8Array[],
  { shared = 0, indexed = false, ignored = [], path = "/", ...options }: Comparing = {},
): readonly ImageDifference[] {
  const trees = new BothTrees(applySettings(options));
  const merge = (layers: readonly Uint8Array[], from: number, images: readonly Which[]) => {
    for (const [index, layer] of layers.entries()) mergeLayer(trees, layer, { number: from + index, images, indexed });
  };
  merge(first.slice(0, shared), 0, ["first", "second"]);
  merge(first.slice(shared), shared, ["first"]);
  merge(second.slice(shared), shared, ["second"]);
  return [...trees.differences(byteStringOf(path), new Set(ignored))];
}

interface LayerToMerge {
  readonly number: number;
  readonly images: readonly Which[];
  readonly indexed: boolean;
}

function mergeLayer(trees: BothTrees, layer: Uint8Array, { number, images, indexed }: LayerToMerge): void {
  const options = { limits: defaultLimits, strict: false, warning() {} };
  const decoder = indexed ? new TocDecoder(sourceOf(tocOf(layer)), options) : new TarDecoder(sourceOf(layer), options);
  const sink = trees.beginLayer(number, images);
  for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) sink.apply(entry, decoder);
  sink.end();
}
