import { OciUnpackError } from "../base/errors.ts";
import type { EventLog } from "../operation/event-log.ts";
import type { EngineReport } from "../worker/messages.ts";
import type { ArchiveReport } from "./merge-job.ts";

/** What a selection made of an image, as the thread that writes the selected part tells it. */
export class SelectedEntries {
  /** How many entries of the merged tree are kept. */
  count = 0;
  #unmatched: readonly string[] = [];
  readonly #account: EventLog;

  constructor(account: EventLog) {
    this.#account = account;
  }

  readonly report = (report: EngineReport | ArchiveReport): void => {
    if (report.type !== "selected") return this.#account.report(report);
    this.count = report.entries;
    this.#unmatched = report.unmatched;
  };

  /** Tells of patterns that matched nothing: an error where the caller is strict, and else a warning for each. */
  tellUnmatched(strict: boolean): void {
    for (const pattern of this.#unmatched) {
      const message = `the pattern "${pattern}" matches nothing in the image`;
      if (strict) {
        throw new OciUnpackError("STRICT_VIOLATION", `cannot select a part strictly: ${message}`, {
          hint: "`list` tells what there is; patterns are paths from the root",
        });
      }
      this.#account.tell({ type: "warning", code: "PATTERN_UNMATCHED", message });
    }
  }
}
