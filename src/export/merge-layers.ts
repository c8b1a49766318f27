import { fetchLayers, type LayerFetching, type LayerTotals } from "../operation/fetch-layers.ts";
import type { AcceptedImage, Operation } from "../operation/operation.ts";
import type { MergeJob, MergeReport } from "./merge-job.ts";

/** What merging needs besides the layers. */
export interface Merging extends LayerFetching<MergeReport> {
  /** A file for the data of files. */
  readonly contents: number;
  /** The part of the tree about which `merged` is to report facts. */
  readonly factsOn?: MergeJob["factsOn"];
}

/** Fetches all layers and merges them in memory, on the pipeline's second thread. */
export function mergeLayers(operation: Operation, accepted: AcceptedImage, merging: Merging): Promise<LayerTotals> {
  const { sandbox, apply: settings } = operation.settings;
  const { layers, progress } = accepted;
  const { contents, factsOn } = merging;
  return fetchLayers(
    operation,
    accepted,
    merging,
    (input): MergeJob => ({
      type: "merge",
      input,
      progress: progress.shared,
      layers: layers.length,
      contents,
      ...(factsOn !== undefined && { factsOn }),
      sandbox,
      settings,
    }),
  );
}
