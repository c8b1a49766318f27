import { OciUnpackError } from "../base/errors.ts";
import type { EventLog } from "../operation/event-log.ts";
import type { EngineReport } from "../worker/messages.ts";
import type { ArchiveReport } from "./merge-job.ts";

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
