import { limitExceeded, OciUnpackError } from "../base/errors.ts";
import type { SkipReason, WarningCode } from "../base/events.ts";
import type { Limits } from "../base/limits.ts";
import { type ByteString, textOf } from "../tar/byte-string.ts";

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
  #hasLeftOutDevices = false;

  constructor(reporter: FindingsReporter, strict: boolean) {
    this.#reporter = reporter;
    this.#strict = strict;
  }

  /** Whether a device is not as the image has it. */
  get hasLeftOutDevices(): boolean {
    return this.#hasLeftOutDevices;
  }

  /** Something is left out because the caller, or a rule, wants it so. */
  skipped(path: ByteString, reason: SkipReason, detail: string): void {
    if (reason === "device") this.#hasLeftOutDevices = true;
    this.#reporter.skipped(path, reason, detail);
  }

  /**
   * Something is not as the image describes it because this machine cannot have it so: an error where the caller is
   * strict.
   */
  lost(path: ByteString, reason: SkipReason, detail: string): void {
    if (this.#strict) throw strictViolation(path, detail);
    this.skipped(path, reason, detail);
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

/** A path as messages show it. What nobody would read to its end is cut. */
export function quoted(path: ByteString): string {
  return `"${textOf(path.length > 300 ? (`${path.slice(0, 300)}...` as ByteString) : path)}"`;
}

/** An entry that no image should have, whatever its maker meant by it. */
export function refusal(path: ByteString, found: string, hint?: string): OciUnpackError {
  return new OciUnpackError("ENTRY_REFUSED", `cannot unpack ${quoted(path)}: ${found}`, {
    ...(hint !== undefined && { hint }),
    details: { path: textOf(path) },
  });
}

/** What else would be left out or repaired, where the caller wants neither. */
function strictViolation(path: ByteString, found: string): OciUnpackError {
  const details = { path: textOf(path) };
  return new OciUnpackError("STRICT_VIOLATION", `cannot accept ${quoted(path)} strictly: ${found}`, { details });
}

/** An entry that is larger in some respect than the caller allows. */
export function entryLimitExceeded(
  path: ByteString,
  found: string,
  limit: keyof Limits,
  allowed: number,
): OciUnpackError {
  return limitExceeded(`cannot unpack ${quoted(path)}: ${found}`, limit, { allowed, path: textOf(path) });
}
