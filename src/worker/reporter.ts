import type { SkipReason, WarningCode } from "../base/events.ts";
import { type ByteString, textOf } from "../tar/byte-string.ts";
import type { EngineReport } from "./messages.ts";

/** How many skipped entries and warnings are reported one by one. A hostile image could have millions. */
const toldAtMost = 10_000;

/** Reports what was skipped and repaired: one by one up to a number, and the rest as counts. */
export class Reporter {
  /** The layer that is being applied, from 0. */
  layer = 0;
  readonly #tell: (report: EngineReport) => void;
  #told = 0;
  #untoldSkipped = 0;
  readonly #untoldWarnings = new Map<WarningCode, number>();

  constructor(tell: (report: EngineReport) => void) {
    this.#tell = tell;
  }

  readonly skipped = (path: ByteString, reason: SkipReason, detail: string): void => {
    if (this.#told >= toldAtMost) this.#untoldSkipped += 1;
    else this.#send({ type: "skipped", layer: this.layer, path: pathText(path), reason, detail: shortened(detail) });
  };

  readonly warning = (code: WarningCode, message: string, path?: ByteString): void => {
    if (this.#told >= toldAtMost) this.#untoldWarnings.set(code, (this.#untoldWarnings.get(code) ?? 0) + 1);
    else
      this.#send({
        type: "warning",
        layer: this.layer,
        code,
        message: shortened(message),
        ...(path !== undefined && { path: pathText(path) }),
      });
  };

  /** Reports how much was not reported one by one. */
  close(): void {
    if (this.#untoldSkipped + this.#untoldWarnings.size === 0) return;
    this.#tell({ type: "untold", skipped: this.#untoldSkipped, warnings: Object.fromEntries(this.#untoldWarnings) });
  }

  #send(report: EngineReport): void {
    this.#told += 1;
    this.#tell(report);
  }
}

/**
 * The longest path that Linux takes (PATH_MAX). An image may have thousands of longer ones, which are cut in reports.
 */
const longestPath = 4096;

/** A path as text. Of one that is too long for Linux, the beginning. */
function pathText(path: ByteString): string {
  return path.length <= longestPath ? textOf(path) : `${textOf(path.slice(0, longestPath) as ByteString)}…`;
}

/** A sentence that may quote names. Of one that is too long, the beginning. */
function shortened(text: string): string {
  return text.length <= longestPath ? text : `${text.slice(0, longestPath)}…`;
}
