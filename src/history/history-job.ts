import { OciUnpackError } from "../base/errors.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import { Directory } from "../layer/directory.ts";
import { quoted } from "../layer/findings.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { confineFromFiles } from "../system/sandbox.ts";
import { type ByteString, textOf } from "../tar/byte-string.ts";
import type { Item } from "../tree/in-order.ts";
import { type ListedEntry, listedEntry } from "../tree/listed-entry.ts";
import { fileOf, type TreeNode } from "../tree/tree-file.ts";
import { applyEntries, Reporter } from "../worker/apply-entries.ts";
import { type LayersToMerge, layerIndexing } from "../worker/layer-indexing.ts";
import { RingReader } from "../worker/ring.ts";
import { tell } from "../worker/serve.ts";
import type { PathEvent } from "./path-history.ts";
import { type ChangeCounts, WatchedLayers } from "./watched-layers.ts";

/** The job to tell what each layer does to the tree of those below. */
export interface HistoryJob extends LayersToMerge {
  readonly type: "history";
  readonly progress: SharedArrayBuffer;
  /** Also what was done to this path. */
  readonly path?: ByteString;
  readonly sandbox: SandboxPolicy;
  readonly settings: RootfsSettings;
}

/** The reports of a `HistoryJob` besides the engine's. */
export type HistoryReport =
  | { readonly type: "layer-changes"; readonly layer: number; readonly counts: ChangeCounts }
  | { readonly type: "path-history"; readonly history: PathHistoryReport };

/** What was done to a path. */
export interface PathHistoryReport {
  /** Without symlinks. */
  readonly entryPath: ByteString;
  /** The newest first. */
  readonly events: readonly PathEvent[];
  /** What is there now; `null` if nothing is. */
  readonly now: ListedEntry | null;
}

/** Merges the layers and tells what each did. The thread is confined so that it can open no file. */
export function tellHistory(job: HistoryJob): void {
  tell({ type: "confined", status: confineFromFiles(job.sandbox) });
  const reporter = new Reporter(tell);
  const layers = new WatchedLayers(job.settings, reporter, job.path);
  const input = new RingReader(job.input);
  const indexing = layerIndexing(job);
  try {
    for (const { number: layer, form } of job.layers) {
      applyEntries({ job, layer, form, input, reporter, indexing, begin: () => layers.begin(layer) });
      tell<HistoryReport>({ type: "layer-changes", layer, counts: layers.end() });
    }
  } finally {
    reporter.close();
  }
  if (job.path !== undefined) tell<HistoryReport>({ type: "path-history", history: pathHistory(layers, job.path) });
}

/** Throws `NOT_FOUND` for a path at which nothing ever was. */
function pathHistory(layers: WatchedLayers, asked: ByteString): PathHistoryReport {
  const { path: entryPath, node, events } = layers.pathHistory();
  if (node !== undefined) return { entryPath, events, now: listedEntry(itemOf(entryPath, node)) };
  if (events.length > 0) return { entryPath, events, now: null };
  throw new OciUnpackError("NOT_FOUND", `cannot tell the history of ${quoted(asked)}: nothing was ever there`, {
    hint: "`list` tells what is there",
    details: { path: textOf(asked) },
  });
}

function itemOf(path: ByteString, node: TreeNode): Item {
  if (node instanceof Directory) return { path, directory: node };
  return { path, file: fileOf(node), firstPath: undefined };
}
