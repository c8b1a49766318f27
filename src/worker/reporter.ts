import type { SkipReason, WarningCode } from "../base/events.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { EngineReport } from "./messages.ts";
import { pathText, shortened } from "./shortened.ts";

/** How many skipped entries and warnings are told one by one. A hostile image could have millions. */
const toldAtMost = 10_000;

/** Tells what was skipped and repaired, one by one up to a number, and the rest as counts. */
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

  /** Tells the counts of what was not told. */
  close(): void {
    if (this.#untoldSkipped + this.#untoldWarnings.size === 0) return;
    this.#tell({ type: "untold", skipped: this.#untoldSkipped, warnings: Object.fromEntries(this.#untoldWarnings) });
  }

  #send(report: EngineReport): void {
    this.#told += 1;
    this.#tell(report);
  }
}
