import { Buffer } from "node:buffer";
import { statOf } from "../linux/stat.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import { mtreeLines } from "../tree/mtree.ts";
import { type SelectionPatterns, selection } from "../tree/selection.ts";
import type { TreeFile } from "../tree/tree-file.ts";
import { devicesMade, ownersGiven } from "../unpack/mtree-job.ts";
import { Comparison } from "../verify/comparison.ts";
import { applyEntries } from "../worker/apply-entries.ts";
import { JsonLineWriter } from "../worker/json-line-writer.ts";
import { type LayersToMerge, layerIndexing } from "../worker/layer-indexing.ts";
import type { NumberedLayer } from "../worker/messages.ts";
import { Outlet, type SharedOutlet } from "../worker/outlet.ts";
import { RingReader, type SharedRing } from "../worker/ring.ts";
import { inLayer, tell } from "../worker/serve.ts";
import { exchangeRoots } from "./exchanged-roots.ts";
import type { Belief, WhichTree } from "./image-trees.ts";
import { insistOnRoot } from "./root-check.ts";
import { putStandIns } from "./stand-ins.ts";
import { StayingDirectories, type StayingObserver } from "./staying-directories.ts";
import { type EntryCounts, SyncPlan } from "./sync-plan.ts";
import { type SyncBeginning, Syncing } from "./syncing.ts";
import { tellingSyncDifferences } from "./told-differences.ts";

/** The first job, which may be given several times: to merge layers into the tree of the image, or of the former one. */
export interface MergeForSyncJob extends SyncBeginning, LayersToMerge {
  readonly type: "merge-for-sync";
  readonly progress: SharedArrayBuffer;
  readonly trees: readonly WhichTree[];
}

/** The second: to compare the root filesystem with the tree. Tells a `SyncCompared`. */
export interface CompareForSyncJob extends SyncBeginning {
  readonly type: "compare-for-sync";
  readonly wanted: SelectionPatterns;
  /** What stays as the disk has it. */
  readonly kept: readonly string[];
  /** What sizes and times are believed against, if anything is. */
  readonly believed: Belief | undefined;
  /** Whether differences are told, as JSON, each on a line. */
  readonly tellsDifferences: boolean;
  /** Whether the new root is begun meanwhile. Then the directory for it has to be there. */
  readonly laysAhead: boolean;
  readonly outlet: SharedOutlet;
}

/** The third: to make the new root, but for what has to come out of layers. Tells a `SyncLaid`. */
export interface LayForSyncJob {
  readonly type: "lay-for-sync";
  readonly outlet: SharedOutlet;
}

/** The fourth: to make what comes out of layers. */
export interface FillForSyncJob {
  readonly type: "fill-for-sync";
  readonly input: SharedRing;
  readonly layers: readonly NumberedLayer[];
}

/** The fifth: to complete the new root, and to look whether it is what it is to be. Tells a `SyncMade`. */
export interface FinishForSyncJob {
  readonly type: "finish-for-sync";
  readonly outlet: SharedOutlet;
}

/** The sixth: to put the new root in the place of the old one. Given once more, it is undone. */
export interface ExchangeForSyncJob {
  readonly type: "exchange-for-sync";
  readonly outlet: SharedOutlet;
}

/** The last: to close what is open. */
export interface EndForSyncJob {
  readonly type: "end-for-sync";
  readonly outlet: SharedOutlet;
}

/** At any time after the second: to list what the directory is to have (mtree(5)). No job but the sixth may follow. */
export interface ListForSyncJob {
  readonly type: "list-for-sync";
  readonly outlet: SharedOutlet;
}

export type SyncReport =
  | { readonly type: "sync-compared"; readonly counts: EntryCounts }
  | { readonly type: "sync-laid"; readonly layers: readonly number[] }
  | { readonly type: "sync-made"; readonly writtenBytes: number };

let syncing: Syncing | undefined;

function begunWith(beginning: SyncBeginning): Syncing {
  syncing ??= new Syncing(beginning);
  return syncing;
}

function begun(): Syncing {
  if (syncing === undefined) throw new TypeError("nothing was merged");
  return syncing;
}

/** Merges the layers in the ring. The thread is confined to the directory that is synced. */
export function mergeForSync(job: MergeForSyncJob): void {
  const { trees, reporter } = begunWith(job);
  const input = new RingReader(job.input);
  const indexing = layerIndexing(job);
  for (const { number: layer, form } of job.layers) {
    applyEntries({ job, layer, form, input, reporter, indexing, begin: () => trees.beginLayer(layer, job.trees) });
  }
}

/** Compares the root filesystem with the tree, as it is. */
export function compareForSync(job: CompareForSyncJob): void {
  const state = begunWith(job); // an image may have no layers
  const { trees, settings, rights } = state;
  const lines = new JsonLineWriter(job.outlet);
  trees.keepWanted(job.wanted);
  state.keptPaths = job.kept;
  state.kept = selection({ include: job.kept });
  state.openOld();
  const staying = job.laysAhead ? new StayingDirectories(beginning(state), trees.memory) : undefined;
  const teller = job.tellsDifferences ? tellingSyncDifferences(trees.data, lines.add) : undefined;
  state.plan = new SyncPlan(trees.memory, rights, { teller, staying });
  if (state.old === undefined) state.plan.missing(trees.wanted, { descriptor: -1, name: dot, path: dot });
  else {
    const hearsay = job.believed && {
      root: trees[job.believed.tree],
      layers: job.believed.layers,
      // What both images have of the same layer is one file.
      areSame: (one: TreeFile, other: TreeFile) => one === other || trees.data.areSame(one, other),
    };
    const comparison = new Comparison({
      settings,
      rights,
      digestOf: (file) => trees.data.withoutHoles(file),
      observer: state.plan,
      leftAlone: state.kept,
      isExact: true,
      newFilesOwner: newFilesOwner(state),
      ...(hearsay !== undefined && { hearsay }),
    });
    comparison.compare(trees.wanted, state.old);
  }
  lines.end();
  tell<SyncReport>({ type: "sync-compared", counts: { ...state.plan.counts } });
}

/** Who new files belong to; unknown where nothing belongs to this user, as on some file systems. */
function newFilesOwner({ directory = -1, old = -1, rights }: Syncing) {
  const [place, root] = [statOf(directory), statOf(old)];
  if (typeof place === "number" || typeof root === "number") return undefined;
  if (place.uid !== rights.user && root.uid !== rights.user) return undefined;
  // The group may be that of the directory above: by its set-group-ID bit, or by how the file system is mounted.
  return { uid: rights.user, gids: [process.getegid?.() ?? root.gid, place.gid] };
}

/** Begins the new root when the first directory is compared. */
function beginning(state: Syncing): StayingObserver {
  return {
    makeDirectory: (directory, path) => state.newRoot().makeDirectory(directory, path),
    linkFiles: (directory, from, files) => state.newRoot().linkFiles(directory, from, files),
  };
}

/** Makes the new root, but for what has to come out of layers. */
export function layForSync(): void {
  const state = begun();
  state.plan.removal.insist();
  tell<SyncReport>({ type: "sync-laid", layers: state.newRoot().lay() });
}

/** Makes what comes out of layers. What was repaired in them has been told. */
export function fillForSync(job: FillForSyncJob): void {
  const { root } = begun();
  if (root === undefined) throw new TypeError("there is no new root");
  const input = new RingReader(job.input);
  for (const { number } of job.layers) inLayer(number, () => root.fill(number, input));
}

/** Completes the new root. */
export function finishForSync(): void {
  const state = begun();
  const { root, target } = state;
  if (root === undefined || target === undefined) throw new TypeError("there is no new root");
  root.finish();
  root.close();
  insistOnRoot({ ...state, isTold: state.findings > 0 }, target);
  state.reporter.close();
  tell<SyncReport>({ type: "sync-made", writtenBytes: root.writtenBytes });
}

/** Lists what the image has in the directory, without what stays as the disk has it. */
export function listForSync(job: ListForSyncJob): void {
  const { trees, settings, rights, keptPaths } = begun();
  const outlet = new Outlet(job.outlet, (bytes) => tell({ type: "bytes", bytes }));
  trees.keepWanted({ exclude: keptPaths });
  putStandIns(trees.wanted, devicesMade(settings, rights));
  const options = { digests: trees.data.digests, ownerOf: ownersGiven(settings, rights) };
  for (const line of mtreeLines(trees.wanted, options)) outlet.write(Buffer.from(line));
  outlet.end();
}

/** Puts the new root in the place of the old one, at once, if there is one; or the old one back. */
export function exchangeForSync(): void {
  const { directory, old, target } = begun();
  if (directory === undefined || target === undefined) throw new TypeError("there is no new root");
  exchangeRoots(directory, { old, target });
}

/** Closes what is open, if anything was begun. */
export function endForSync(): void {
  syncing?.close();
  syncing = undefined;
}

const dot = byteStringOf(".");
