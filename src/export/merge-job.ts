import { MemoryBudget } from "../base/memory-budget.ts";
import type { ExportForm, SandboxPolicy } from "../base/option-words.ts";
import { ContentFile } from "../blob/content-file.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { confineFromFiles } from "../system/sandbox.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import { MergedTree } from "../tree/merged-tree.ts";
import { selectionIn } from "../tree/selected-tree.ts";
import { type SelectionPatterns, unmatchedPatterns } from "../tree/selection.ts";
import { applyEntries, Reporter } from "../worker/apply-entries.ts";
import type { NumberedLayer } from "../worker/messages.ts";
import { Outlet, type SharedOutlet } from "../worker/outlet.ts";
import { RingReader, type SharedRing } from "../worker/ring.ts";
import { inLayer, tell } from "../worker/serve.ts";
import { fitting } from "./fitting.ts";
import { writeFlatArchive } from "./flat-archive.ts";
import { factsOf, type TreeFacts } from "./tree-facts.ts";
import { type TabledContents, WantedContents } from "./wanted-contents.ts";

/** The job to make a tree of the layers in the ring. */
export interface MergeJob {
  readonly type: "merge";
  readonly input: SharedRing;
  readonly progress: SharedArrayBuffer;
  readonly layers: readonly NumberedLayer[];
  /** The descriptor of an open file that takes the data of the tree's files. */
  readonly contents: number;
  /** Where that file is, for error messages. */
  readonly directory: string;
  /** The part of the tree whose data are wanted, where they have to be found by indexes. Default: all of it. */
  readonly wanted: SelectionPatterns;
  /** Those of the layers whose index was made of their table of contents. */
  readonly tabled: readonly number[];
  /** The part of the tree whose facts are to be reported. Default: none are. */
  readonly factsOn?: SelectionPatterns;
  readonly sandbox: SandboxPolicy;
  readonly settings: RootfsSettings;
}

/** The report about the finished tree. */
export type MergeReport = { readonly type: "merged"; readonly facts: TreeFacts };

/** The report which layers have data of files that are wanted, of those of which only the indexes were read. */
export type ContentsReport = {
  readonly type: "contents-wanted";
  /** Those whose archives have to be read. */
  readonly layers: readonly number[];
  /** What is wanted of those that have a table of contents. */
  readonly tabled: readonly TabledContents[];
};

/** The job to read data of files of the `MergeJob` before, from the archives of the layers that it wanted. */
export interface ContentsJob {
  readonly type: "contents";
  readonly input: SharedRing;
  readonly layers: readonly NumberedLayer[];
}

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

/** What the last `MergeJob` made, for the jobs after it. */
interface Merged {
  readonly tree: MergedTree;
  readonly contents: ContentFile;
  readonly settings: RootfsSettings;
  readonly wanted: WantedContents;
}

let merged: Merged | undefined;

/**
 * Makes a tree of the archives in the ring. The thread is confined so that it can open no file; `contents` is open
 * already.
 */
export function mergeLayers(job: MergeJob): void {
  tell({ type: "confined", status: confineFromFiles(job.sandbox) });
  const reporter = new Reporter(tell);
  const contents = new ContentFile(job.contents, job.directory);
  const memory = new MemoryBudget(job.settings.limits);
  const tree = new MergedTree(job.settings, reporter, { memory });
  const input = new RingReader(job.input);
  const wanted = new WantedContents(memory);
  try {
    for (const { number: layer, form } of job.layers) {
      const keep = form === "index" ? wanted.keepIn(layer) : (_entry: Entry, body: ByteSource) => contents.append(body);
      applyEntries({ job, layer, form, input, reporter, begin: () => tree.beginLayer(layer, keep) });
    }
    contents.flush();
  } finally {
    reporter.close();
  }
  merged = { tree, contents, settings: job.settings, wanted };
  wanted.find(tree.root, selectionIn(tree.root, job.wanted));
  if (wanted.layers.length > 0) {
    const tabled = wanted.layers.filter((layer) => job.tabled.includes(layer));
    tell<ContentsReport>({
      type: "contents-wanted",
      layers: wanted.layers.filter((layer) => !tabled.includes(layer)),
      tabled: tabled.map((layer) => wanted.reserve(layer, contents)),
    });
  }
  if (job.factsOn !== undefined)
    tell<MergeReport>({ type: "merged", facts: factsOf(tree.root, selectionIn(tree.root, job.factsOn)) });
}

/** Reads the data that were wanted. */
export function readContents(job: ContentsJob): void {
  if (merged === undefined) throw new TypeError("there is no tree that wants data");
  const { contents, settings, wanted } = merged;
  const input = new RingReader(job.input);
  for (const { number } of job.layers) inLayer(number, () => wanted.read(number, input, contents, settings));
  contents.flush();
}

/** Sends the tree that was made last to the main thread, as an archive. */
export function writeArchive(job: ArchiveJob): void {
  if (merged === undefined) throw new TypeError("there is no tree to write");
  const { tree, contents, settings } = merged;
  const outlet = new Outlet(job.outlet, (bytes) => tell({ type: "bytes", bytes }));
  const reporter = new Reporter(tell);
  const fit = fitting(job.form, settings.limits, reporter.skipped);
  const entries = writeFlatArchive(tree.root, contents, outlet, {
    wanted: selectionIn(tree.root, job.selection),
    fit(file, layer) {
      reporter.layer = layer;
      return fit(file);
    },
  });
  outlet.end();
  tell<ArchiveReport>({ type: "selected", entries, unmatched: unmatchedPatterns(tree.root, job.selection) });
  reporter.close();
}
