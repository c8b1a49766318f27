import { ContentFile } from "../export/content-file.ts";
import { factsOf } from "../export/facts.ts";
import { fitting } from "../export/fitting.ts";
import { writeFlatArchive } from "../export/flat-archive.ts";
import type { Limits } from "../limits.ts";
import { MergedTree } from "../tree/merged-tree.ts";
import { selection } from "../tree/selection.ts";
import { unmatchedPatterns } from "../tree/unmatched-patterns.ts";
import { applyEntries } from "./apply-entries.ts";
import { confineThread } from "./confinement.ts";
import { extract, look } from "./look.ts";
import { Outlet } from "./outlet.ts";
import type { ArchiveJob, MergeJob } from "./protocol.ts";
import { Reporter } from "./reporter.ts";
import { RingReader } from "./ring.ts";
import { serve, tell } from "./serve.ts";
import { verify } from "./verify.ts";

/** What the first job leaves to the next. */
let merged: { readonly tree: MergedTree; readonly contents: ContentFile; readonly limits: Limits } | undefined;

serve("oci-tree", (job) => {
  if (job.type === "merge") mergeLayers(job);
  if (job.type === "archive") writeArchive(job);
  if (job.type === "verify") verify(job);
  if (job.type === "look") look(job);
  if (job.type === "extract") extract(job);
});

/** Makes a tree of the archives in the ring. May open nothing: the data of files go into a file that is open already. */
function mergeLayers(job: MergeJob): void {
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
  if (job.factsOn !== undefined) tell({ type: "merged", facts: factsOf(tree.root, selection(job.factsOn)) });
}

/** Hands the tree that was made last, as an archive, to the main thread. */
function writeArchive(job: ArchiveJob): void {
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
  tell({ type: "selected", entries, unmatched: unmatchedPatterns(tree.root, job.selection) });
  reporter.close();
}
