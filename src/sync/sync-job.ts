import { Buffer } from "node:buffer";
import { OciUnpackError } from "../base/errors.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { confineThread } from "../linux/confinement.ts";
import { errnos } from "../linux/errno.ts";
import { statAt, statOf } from "../linux/stat.ts";
import { exchangeAt, openDirectoryBeneath, openDirectoryPath, renameAt } from "../linux/syscalls.ts";
import { ownRights, type Rights } from "../linux/thread.ts";
import { failure } from "../rootfs/failure.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import { mtreeLines } from "../tree/mtree.ts";
import { nothing, type Selection, type SelectionPatterns, selection } from "../tree/selection.ts";
import type { TreeFile } from "../tree/tree-file.ts";
import { devicesMade, ownersGiven } from "../unpack/mtree-job.ts";
import { Comparison } from "../verify/comparison.ts";
import { applyEntries, Reporter } from "../worker/apply-entries.ts";
import { JsonLineWriter } from "../worker/json-line-writer.ts";
import type { NumberedLayer } from "../worker/messages.ts";
import { Outlet, type SharedOutlet } from "../worker/outlet.ts";
import { RingReader, type SharedRing } from "../worker/ring.ts";
import { inLayer, tell } from "../worker/serve.ts";
import { changedMeanwhile } from "./files-from-disk.ts";
import { ImageTrees, type WhichTree } from "./image-trees.ts";
import { NewRoot } from "./new-root.ts";
import { insistOnOwn } from "./own-directory.ts";
import { insistOnRoot } from "./root-check.ts";
import { putStandIns } from "./stand-ins.ts";
import { rootName, stagingName } from "./sync-names.ts";
import { type EntryCounts, SyncPlan } from "./sync-plan.ts";
import { tellingSyncDifferences } from "./told-differences.ts";

/** With what the first job begins. */
export interface SyncBeginning {
  /** The absolute path of the directory that is synced, if it is there. */
  readonly directory: string | undefined;
  readonly sandbox: SandboxPolicy;
  readonly settings: RootfsSettings;
}

/** The first job, which may be given several times: to merge layers into the tree of the image, or of the former one. */
export interface MergeForSyncJob extends SyncBeginning {
  readonly type: "merge-for-sync";
  readonly input: SharedRing;
  readonly progress: SharedArrayBuffer;
  readonly layers: readonly NumberedLayer[];
  readonly trees: readonly WhichTree[];
}

/** The second: to compare the root filesystem with the tree. Tells a `SyncCompared`. */
export interface CompareForSyncJob extends SyncBeginning {
  readonly type: "compare-for-sync";
  readonly wanted: SelectionPatterns;
  /** What stays as the disk has it. */
  readonly kept: readonly string[];
  /** Which tree sizes and times are believed against, if any is. */
  readonly believed: WhichTree | undefined;
  /** Whether differences are told, as JSON, each on a line. */
  readonly tellsDifferences: boolean;
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

/** At any time after the second: to list what the directory is to have (mtree(5)). No job but the sixth may follow. */
export interface ListForSyncJob {
  readonly type: "list-for-sync";
  readonly outlet: SharedOutlet;
}

export type SyncReport =
  | { readonly type: "sync-compared"; readonly counts: EntryCounts }
  | { readonly type: "sync-laid"; readonly layers: readonly number[] }
  | { readonly type: "sync-made"; readonly writtenBytes: number };

/** What the jobs share. */
class Syncing {
  readonly settings: RootfsSettings;
  readonly trees: ImageTrees;
  readonly reporter: Reporter;
  readonly rights: Rights = ownRights();
  /** An open handle of the directory, and of the root filesystem in it. */
  readonly directory: number | undefined;
  old: number | undefined;
  keptPaths: readonly string[] = [];
  kept: Selection = nothing;
  plan: SyncPlan;
  root: NewRoot | undefined;
  target: number | undefined;
  /** How much was left out or repaired while files were made. */
  findings = 0;

  constructor(job: SyncBeginning) {
    this.settings = job.settings;
    this.reporter = new Reporter(tell);
    this.directory = job.directory === undefined ? undefined : openDirectoryPath(job.directory);
    const confinement = this.directory === undefined ? {} : { writableBeneath: this.directory };
    tell({ type: "confined", status: confineThread(job.sandbox, confinement) });
    this.trees = new ImageTrees(job.settings, this.reporter);
    this.plan = new SyncPlan(this.trees.memory, this.rights);
  }
}

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
  for (const { number: layer, form } of job.layers) {
    applyEntries({ job, layer, form, input, reporter, begin: () => trees.beginLayer(layer, job.trees) });
  }
}

/** Compares the root filesystem with the tree, as it is. */
export function compareForSync(job: CompareForSyncJob): void {
  const state = begunWith(job); // an image may have no layers
  const { trees, settings, rights, directory } = state;
  const lines = new JsonLineWriter(job.outlet);
  trees.keepWanted(job.wanted);
  state.keptPaths = job.kept;
  state.kept = selection({ include: job.kept });
  state.plan = new SyncPlan(
    trees.memory,
    rights,
    job.tellsDifferences ? tellingSyncDifferences(trees.data, lines.add) : undefined,
  );
  state.old = directory === undefined ? undefined : openedRoot(directory);
  if (state.old === undefined) state.plan.missing(trees.wanted, { descriptor: -1, name: dot, path: dot });
  else {
    const hearsay = job.believed && {
      root: trees[job.believed],
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

/** Makes the new root, but for what has to come out of layers. */
export function layForSync(): void {
  const state = begun();
  const { directory, old, trees, plan, kept, settings, rights } = state;
  if (directory === undefined) throw new TypeError("there is no directory");
  plan.removal.insist();
  const target = openDirectoryBeneath(directory, staging);
  if (target < 0) throw failure("open", staging, "openat2", target);
  insistOnOwn(target, rights);
  state.target = target;
  const reporter = {
    skipped: (...found: Parameters<Reporter["skipped"]>) => {
      state.findings += 1;
      state.reporter.skipped(...found);
    },
    warning: (...found: Parameters<Reporter["warning"]>) => {
      state.findings += 1;
      state.reporter.warning(...found);
    },
  };
  state.root = new NewRoot({ target, old, trees, plan, kept, settings, reporter });
  tell<SyncReport>({ type: "sync-laid", layers: state.root.lay() });
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
  if (!isAt(directory, staging, target) && !isAt(directory, root, target)) throw changedMeanwhile(staging);
  if (old === undefined) return moveRoot(directory);
  const exchange = () => exchangeAt(directory, staging, directory, root);
  const result = exchange();
  if (result === -errnos.EXDEV) throw lowerLayer();
  if (result < 0) throw failure("replace", root, "renameat2(RENAME_EXCHANGE)", result);
  if (isAt(directory, staging, old) || isAt(directory, root, old)) return;
  exchange();
  throw changedMeanwhile(root);
}

/** An overlay file system moves directories of lower layers only if it was mounted so (overlayfs.rst, redirect_dir). */
function lowerLayer(): OciUnpackError {
  const found = "an overlay file system has it in a lower layer, and does not move it (EXDEV)";
  return new OciUnpackError("FILE_SYSTEM", `cannot replace "${rootName}": ${found}`, {
    hint: "unpack into another directory",
    details: { errno: "EXDEV" },
  });
}

/** Where there was no root before, the new one gets its name, or loses it again. */
function moveRoot(directory: number): void {
  const isMade = typeof statAt(directory, staging) === "number";
  const [from, to] = isMade ? [root, staging] : [staging, root];
  const result = renameAt(directory, from, directory, to);
  if (result < 0) throw failure("replace", root, "renameat", result);
}

const dot = byteStringOf(".");
const root = byteStringOf(rootName);
const staging = byteStringOf(stagingName);

function isAt(directory: number, name: ByteString, handle: number): boolean {
  const [there, ours] = [statAt(directory, name), statOf(handle)];
  return typeof there !== "number" && typeof ours !== "number" && there.identity === ours.identity;
}

/** A handle of the root filesystem, through no symlink and no mount point; `undefined` where there is none. */
function openedRoot(directory: number): number | undefined {
  if (typeof statAt(directory, root) === "number") return undefined;
  const handle = openDirectoryBeneath(directory, root);
  if (handle < 0) throw failure("open", root, "openat2(RESOLVE_BENEATH|RESOLVE_NO_SYMLINKS|RESOLVE_NO_XDEV)", handle);
  return handle;
}
