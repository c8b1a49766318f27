import { OciUnpackError } from "../base/errors.ts";
import type { EventLog } from "../operation/event-log.ts";
import { fetchLayers, type LayerFetching, type LayerTotals } from "../operation/fetch-layers.ts";
import type { AcceptedImage, Operation } from "../operation/operation.ts";
import type { EngineReport } from "../worker/messages.ts";
import type { ArchiveReport, MergeJob, MergeReport } from "./merge-job.ts";

/** What merging needs besides the layers. */
interface Merging extends LayerFetching<MergeReport> {
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
      this.#events.tell({ type: "warning", code: "PATTERN_UNMATCHED", message });
    }
  }
}
