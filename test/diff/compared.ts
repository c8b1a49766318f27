import { defaultLimits } from "../../src/base/limits.ts";
import type { DifferentPart } from "../../src/base/option-words.ts";
import { BothTrees } from "../../src/diff/both-trees.ts";
import type { ImageDifference } from "../../src/diff/difference.ts";
import type { Which } from "../../src/diff/pairs.ts";
import { type ApplyOptions, applySettings } from "../../src/layer/settings.ts";
import { byteStringOf } from "../../src/tar/byte-string.ts";
import { TarDecoder } from "../../src/tar/decoder.ts";
import { TocDecoder } from "../../src/toc/toc-decoder.ts";
import type { EntrySink } from "../../src/worker/apply-entries.ts";
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
    for (const [index, layer] of layers.entries()) applyLayer(layer, indexed, trees.beginLayer(from + index, images));
  };
  merge(first.slice(0, shared), 0, ["first", "second"]);
  merge(first.slice(shared), shared, ["first"]);
  merge(second.slice(shared), shared, ["second"]);
  return [...trees.differences(byteStringOf(path), new Set(ignored))];
}

/** The same where the shared layers come last, if at all. */
export function comparedFromTop(
  first: readonly Uint8Array[],
  second: readonly Uint8Array[],
  { shared = 0, indexed = false, ignored = [], path = "/", ...options }: Comparing = {},
): { readonly differences: readonly ImageDifference[]; readonly isBaseRead: boolean } {
  const trees = new BothTrees(applySettings(options));
  const where = [byteStringOf(path), new Set(ignored)] as const;
  const hold = (layers: readonly Uint8Array[], image: Which) => {
    for (const [index, layer] of layers.slice(shared).entries()) {
      applyLayer(layer, indexed, trees.holdLayer(shared + index, image));
    }
  };
  hold(first, "first");
  hold(second, "second");
  const found = trees.differencesSoFar(...where);
  if (found !== undefined) return { differences: [...found], isBaseRead: false };
  for (const [number, layer] of first.slice(0, shared).entries()) {
    applyLayer(layer, indexed, trees.beginLayer(number, ["first", "second"]));
  }
  trees.mergeHeld();
  return { differences: [...trees.differences(...where)], isBaseRead: true };
}

function applyLayer(layer: Uint8Array, indexed: boolean, sink: EntrySink): void {
  const options = { limits: defaultLimits, strict: false, warning() {} };
  const decoder = indexed ? new TocDecoder(sourceOf(tocOf(layer)), options) : new TarDecoder(sourceOf(layer), options);
  for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) sink.apply(entry, decoder);
  sink.end();
}
