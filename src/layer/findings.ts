import type { SkipReason, WarningCode } from "../base/events.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { strictViolation } from "./refusal.ts";

/** Who is told what was left out and what was repaired, at once, while entries are applied. */
export interface FindingsReporter {
  skipped(path: ByteString, reason: SkipReason, detail: string): void;
  warning(code: WarningCode, message: string, path?: ByteString): void;
}

/** For whoever wants to be told of nothing. */
export const nobody: FindingsReporter = { skipped() {}, warning() {} };

/** What was found in a layer that is not as it should be: told of, or refused. */
export class Findings {
  readonly #reporter: FindingsReporter;
  readonly #strict: boolean;

  constructor(reporter: FindingsReporter, strict: boolean) {
    this.#reporter = reporter;
    this.#strict = strict;
  }

  /** Something is left out because the caller, or a rule, wants it so. */
  skipped(path: ByteString, reason: SkipReason, detail: string): void {
    this.#reporter.skipped(path, reason, detail);
  }

  /**
   * Something is not as the image describes it because this machine cannot have it so: an error where the caller is
   * strict.
   */
  lost(path: ByteString, reason: SkipReason, detail: string): void {
    if (this.#strict) throw strictViolation(path, detail);
    this.#reporter.skipped(path, reason, detail);
  }

  /** Something is made to fit: an error where the caller is strict. The message says what was done. */
  repaired(code: WarningCode, message: string, path: ByteString): void {
    if (this.#strict) throw strictViolation(path, message);
    this.#reporter.warning(code, message, path);
  }

  /** A layer has a second entry for the same name, which the specification forbids. */
  namedTwice(path: ByteString): void {
    this.repaired("DUPLICATE_ENTRY", "the layer names it twice; the later entry wins", path);
  }

  /** Something is worth knowing, and never an error. */
  noted(code: WarningCode, message: string, path: ByteString): void {
    this.#reporter.warning(code, message, path);
  }
}
