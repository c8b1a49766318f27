import { OciUnpackError } from "../base/errors.ts";
import type { EventLog } from "../operation/event-log.ts";
import { fetchByIndexes, fetchLayers, type LayerFetching, type LayerTotals } from "../operation/fetch-layers.ts";
import type { AcceptedImage, Operation } from "../operation/operation.ts";
import { isWhole } from "../tree/selection.ts";
import type { EngineReport, NumberedLayer } from "../worker/messages.ts";
import type { SharedRing } from "../worker/ring.ts";
import type { ArchiveReport, ContentsJob, ContentsReport, MergeJob, MergeReport } from "./merge-job.ts";

/** What merging needs besides the layers. */
interface Merging extends LayerFetching<MergeReport> {
  /** A file for the data of files. */
  readonly contents: number;
  /** The part of the tree about which `merged` is to report facts. */
  readonly factsOn?: MergeJob["factsOn"];
}

/**
 * Fetches the layers and merges them in memory, on the pipeline's second thread. Where only a part of the tree is wanted,
 * a layer whose index a store has is read if it has data of that part, and is not asked for otherwise.
 */
export async function mergeLayers(
  operation: Operation,
  accepted: AcceptedImage,
  merging: Merging,
): Promise<LayerTotals> {
  const { events } = operation;
  const { sandbox, apply: settings, selection: wanted } = operation.settings;
  const { progress } = accepted;
  const { contents, factsOn } = merging;
  // Of all of it the data are needed, which an index has not.
  const fetching = isWhole(wanted) ? fetchLayers : fetchByIndexes;
  let wantedLayers: readonly number[] = [];
  const onReport = (told: EngineReport | MergeReport | ContentsReport) => {
    if (told.type === "contents-wanted") wantedLayers = told.layers;
    else if (merging.onReport !== undefined) merging.onReport(told);
    else if (told.type !== "merged") events.report(told);
  };
  const merged = await fetching(
    operation,
    accepted,
    { ...merging, onReport },
    (input: SharedRing, layers: readonly NumberedLayer[] = accepted.layers): MergeJob => ({
      type: "merge",
      input,
      progress: progress.shared,
      layers,
      contents,
      wanted,
      ...(factsOn !== undefined && { factsOn }),
      sandbox,
      settings,
    }),
  );
  if (wantedLayers.length === 0) return merged;
  const read = accepted.layers.filter(({ number }) => wantedLayers.includes(number));
  const consume = (input: SharedRing): ContentsJob => ({ type: "contents", input, layers: read });
  const { downloadedBytes } = await fetchLayers(operation, { ...accepted, layers: read }, merging, consume);
  return { ...merged, downloadedBytes: merged.downloadedBytes + downloadedBytes };
}

/** Collects what the thread that writes the selected part of an image reports about the selection. */
export class SelectedEntries {
  /** How many entries of the merged tree are kept. */
  count = 0;
  #unmatched: readonly string[] = [];
  readonly #events: EventLog;

  constructor(events: EventLog) {
    this.#events = events;
  }

  readonly report = (report: EngineReport | ArchiveReport): void => {
    if (report.type !== "selected") return this.#events.report(report);
    this.count = report.entries;
    this.#unmatched = report.unmatched;
  };

  /** Reports the patterns that matched nothing: a warning for each or, with `strict`, an error. */
  tellUnmatched(strict: boolean): void {
    for (const pattern of this.#unmatched) {
      const message = `the pattern "${pattern}" matches nothing in the image`;
      if (strict) {
        throw new OciUnpackError("STRICT_VIOLATION", `cannot select a part strictly: ${message}`, {
          hint: "`list` tells what there is; patterns are paths from the root",
        });
      }
      this.#events.find({ type: "warning", code: "PATTERN_UNMATCHED", message });
    }
  }
}
