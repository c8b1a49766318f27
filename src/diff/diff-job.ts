import type { DifferentPart, SandboxPolicy } from "../base/option-words.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { confineFromFiles } from "../system/sandbox.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { applyEntries, Reporter } from "../worker/apply-entries.ts";
import { JsonLineWriter } from "../worker/json-line-writer.ts";
import { type LayersToMerge, layerIndexing } from "../worker/layer-indexing.ts";
import type { SharedOutlet } from "../worker/outlet.ts";
import { RingReader } from "../worker/ring.ts";
import { tell } from "../worker/serve.ts";
import { BothTrees } from "./both-trees.ts";
import type { Which } from "./pairs.ts";

/** The job to merge the layers in the ring into the tree of an image, or into those of both. */
export interface MergeForDiffJob extends LayersToMerge {
  readonly type: "merge-for-diff";
  readonly progress: SharedArrayBuffer;
  readonly images: readonly Which[];
  /** Whether the layers of one image come before those below them that both images have. */
  readonly areHeld: boolean;
  readonly sandbox: SandboxPolicy;
  readonly settings: RootfsSettings;
}

/** The job to compare the trees of the jobs before. The differences come as JSON, each on a line. */
export interface CompareJob {
  readonly type: "compare";
  readonly path: ByteString;
  readonly ignored: readonly DifferentPart[];
  /** Whether the layers are missing that both images have at the bottom. */
  readonly isBaseMissing: boolean;
  readonly outlet: SharedOutlet;
  readonly settings: RootfsSettings;
}

/** What a `CompareJob` reports in the stead of differences where these depend on the layers that are missing. */
export interface BaseWanted {
  readonly type: "base-wanted";
}

/** What the jobs before made. */
let trees: BothTrees | undefined;

/**
 * Makes a tree of layers, or goes on with it. The thread is confined so that it can open no file. After a failure the
 * next job begins anew.
 */
export function mergeForDiff(job: MergeForDiffJob): void {
  tell({ type: "confined", status: confineFromFiles(job.sandbox) });
  const merged = trees ?? new BothTrees(job.settings);
  trees = undefined;
  const input = new RingReader(job.input);
  const indexing = layerIndexing(job);
  const reporter = new Reporter(() => {}); // as `list` does, it tells what is there, and not how it came to be
  const [image = "first"] = job.images;
  const begin = (layer: number) =>
    job.areHeld ? merged.holdLayer(layer, image) : merged.beginLayer(layer, job.images);
  for (const { number: layer, form } of job.layers) {
    applyEntries({ job, layer, form, input, reporter, indexing, begin: () => begin(layer) });
  }
  if (!job.areHeld) merged.mergeHeld();
  trees = merged;
}

/**
 * Sends the differences of the trees to the main thread, and forgets the trees unless layers are missing. Images without
 * layers have empty trees.
 */
export function compareTrees({ path, ignored, isBaseMissing, outlet, settings }: CompareJob): void {
  const both = trees ?? new BothTrees(settings);
  trees = undefined;
  const without = new Set(ignored);
  const found = isBaseMissing ? both.differencesSoFar(path, without) : both.differences(path, without);
  if (found === undefined) {
    trees = both;
    return tell<BaseWanted>({ type: "base-wanted" });
  }
  const lines = new JsonLineWriter(outlet);
  for (const difference of found) lines.add(difference);
  lines.end();
}
