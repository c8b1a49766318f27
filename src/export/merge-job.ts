import type { Limits } from "../base/limits.ts";
import type { ExportForm, SandboxPolicy } from "../base/option-words.ts";
import { ContentFile } from "../blob/content-file.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { confineThread } from "../linux/confinement.ts";
import { MergedTree } from "../tree/merged-tree.ts";
import { type SelectionPatterns, selection, unmatchedPatterns } from "../tree/selection.ts";
import { applyEntries, Reporter } from "../worker/apply-entries.ts";
import { Outlet, type SharedOutlet } from "../worker/outlet.ts";
import { RingReader, type SharedRing } from "../worker/ring.ts";
import { tell } from "../worker/serve.ts";
import { fitting } from "./fitting.ts";
import { writeFlatArchive } from "./flat-archive.ts";
import { factsOf, type TreeFacts } from "./tree-facts.ts";

/** The job to make a tree of the layers in the ring. */
export interface MergeJob {
  readonly type: "merge";
  readonly input: SharedRing;
  readonly progress: SharedArrayBuffer;
  readonly layers: number;
  /** The descriptor of an open file that takes the data of the tree's files. */
  readonly contents: number;
  /** The part of the tree whose facts are to be reported. Default: none are. */
  readonly factsOn?: SelectionPatterns;
  readonly sandbox: SandboxPolicy;
  readonly settings: RootfsSettings;
}

/** The report about the finished tree. */
export type MergeReport = { readonly type: "merged"; readonly facts: TreeFacts };

/** The job to write the tree of the `MergeJob` before as an archive for a form. It may be given several times. */
export interface ArchiveJob {
  readonly type: "archive";
  readonly form: ExportForm;
  readonly selection: SelectionPatterns;
  readonly outlet: SharedOutlet;
}

/** The report how many entries a selection keeps, and which of its patterns match nothing. */
export type ArchiveReport = {
  readonly type: "selected";
  readonly entries: number;
  readonly unmatched: readonly string[];
};

/** The tree of the last `MergeJob`, for the `ArchiveJob`s after it. */
let merged: { readonly tree: MergedTree; readonly contents: ContentFile; readonly limits: Limits } | undefined;

/**
 * Makes a tree of the archives in the ring. The thread is confined so that it can open no file; `contents` is open
 * already.
 */
export function mergeLayers(job: MergeJob): void {
  tell({ type: "confined", status: confineThread(job.sandbox, {}) });
  const reporter = new Reporter(tell);
  const contents = new ContentFile(job.contents);
  const tree = new MergedTree(job.settings, reporter);
  const input = new RingReader(job.input);
  try {
    for (let layer = 0; layer < job.layers; layer += 1) {
      applyEntries({
        job,
        layer,
        input,
        reporter,
        begin: () => tree.beginLayer(layer, (_entry, body) => contents.append(body)),
      });
    }
    contents.flush();
  } finally {
    reporter.close();
  }
  merged = { tree, contents, limits: job.settings.limits };
  if (job.factsOn !== undefined)
    tell<MergeReport>({ type: "merged", facts: factsOf(tree.root, selection(job.factsOn)) });
}

/** Sends the tree that was made last to the main thread, as an archive. */
export function writeArchive(job: ArchiveJob): void {
  if (merged === undefined) throw new TypeError("there is no tree to write");
  const { tree, contents, limits } = merged;
  const outlet = new Outlet(job.outlet, (bytes) => tell({ type: "bytes", bytes }));
  const reporter = new Reporter(tell);
  const fit = fitting(job.form, limits, reporter.skipped);
  const entries = writeFlatArchive(tree.root, contents, outlet, {
    wanted: selection(job.selection),
    fit(file, layer) {
      reporter.layer = layer;
      return fit(file);
    },
  });
  outlet.end();
  tell<ArchiveReport>({ type: "selected", entries, unmatched: unmatchedPatterns(tree.root, job.selection) });
  reporter.close();
}
