import type { Attributes } from "../layer/attributes.ts";
import type { Findings } from "../layer/findings.ts";
import type { XattrFilter } from "../layer/xattr-filter.ts";
import { type ByteString, textOf } from "../tar/byte-string.ts";
import type { Entry } from "../tar/entry.ts";

/** Keeps of an entry's extended attributes those that the filter table lets into a root filesystem, and tells of the rest. */
export class Xattrs {
  readonly #filter: XattrFilter;
  readonly #findings: Findings;

  constructor(filter: XattrFilter, findings: Findings) {
    this.#filter = filter;
    this.#findings = findings;
  }

  kept({ path, xattrs }: Entry): Attributes["xattrs"] {
    if (xattrs === undefined) return undefined;
    const kept = new Map([...xattrs].filter(([name]) => this.#isKept(path, name)));
    return kept.size === 0 ? undefined : kept;
  }

  #isKept(path: ByteString, name: ByteString): boolean {
    const findings = this.#findings;
    if (name === "" || name.includes("\0")) {
      findings.repaired("XATTR_NOT_APPLIED", `${textOf(name)} is left out: it has no proper name`, path);
      findings.skipped(path, "xattr-unsupported", textOf(name));
      return false;
    }
    const verdict = this.#filter.verdict(name);
    if (verdict === "set") return true;
    findings.skipped(path, "xattr-filtered", textOf(name));
    if (verdict === "leave-out-and-warn") {
      findings.repaired("XATTR_NOT_APPLIED", `${textOf(name)} would act on this machine's overlays`, path);
    }
    return false;
  }
}
