import { type ByteString, textOf } from "../tar/byte-string.ts";
import type { Findings } from "./findings.ts";
import type { XattrFilter } from "./xattr-filter.ts";

/** Judges the extended attributes of entries by the filter table, and tells of those that are left out. */
export class XattrRules {
  readonly #filter: XattrFilter;
  readonly #findings: Findings;

  constructor(filter: XattrFilter, findings: Findings) {
    this.#filter = filter;
    this.#findings = findings;
  }

  /** Whether what stands at `path` is to have an attribute of that name. */
  isKept(path: ByteString, name: ByteString): boolean {
    if (name === "" || name.includes("\0")) {
      this.lose(path, "xattr-unsupported", name, "it has no proper name");
      return false;
    }
    const verdict = this.#filter.verdict(name);
    if (verdict === "set") return true;
    this.#findings.skipped(path, "xattr-filtered", textOf(name));
    if (verdict === "leave-out-and-warn") {
      this.#findings.repaired("XATTR_NOT_APPLIED", `${textOf(name)} would act on this machine's overlays`, path);
    }
    return false;
  }

  /** Whether an attribute that is there may be an image's. What the filter table keeps out came from elsewhere. */
  isOfImage(name: ByteString): boolean {
    return this.#filter.verdict(name) === "set";
  }

  /** Tells that an attribute cannot be kept, and why. */
  lose(path: ByteString, reason: "xattr-unsupported" | "xattr-denied", name: ByteString, why: string): void {
    this.#findings.repaired("XATTR_NOT_APPLIED", `${textOf(name)} is left out: ${why}`, path);
    this.#findings.skipped(path, reason, textOf(name));
  }
}
