import type { OciUnpackEvent, SandboxStatus, WarningCode } from "../base/events.ts";
import type { EngineReport } from "../worker/messages.ts";

/** What is left out or repaired of an image's content: one by one, and how much beyond that. */
export type ImageFinding =
  | Extract<OciUnpackEvent, { readonly type: "skipped" | "warning" }>
  | Extract<EngineReport, { readonly type: "untold" }>;

/** What was found in an image's content, as it can be told again. */
export interface ImageFindings {
  /** In the order in which they were told. */
  readonly findings: readonly ImageFinding[];
  /** How the threads that looked at the image were confined. */
  readonly sandbox?: SandboxStatus;
}

/** How many findings of each type are taken down one by one. A hostile image could have millions. */
const mostFindings = 1000;

/** Takes down what is found in an image's content: of each type the first thousand, and how many more there are. */
export class FindingsRecord {
  readonly #findings: ImageFinding[] = [];
  readonly #told = { skipped: 0, warning: 0 };
  #moreSkipped = 0;
  readonly #moreWarnings: Partial<Record<WarningCode, number>> = {};

  add(finding: ImageFinding): void {
    if (finding.type === "untold") {
      this.#moreSkipped += finding.skipped;
      for (const [code, count] of Object.entries(finding.warnings)) this.#countMore(code as WarningCode, count);
    } else if (this.#told[finding.type] < mostFindings) {
      this.#told[finding.type] += 1;
      this.#findings.push(finding);
    } else if (finding.type === "skipped") this.#moreSkipped += 1;
    else this.#countMore(finding.code, 1);
  }

  get findings(): readonly ImageFinding[] {
    return [...this.#findings, { type: "untold", skipped: this.#moreSkipped, warnings: this.#moreWarnings }];
  }

  #countMore(code: WarningCode, count: number): void {
    this.#moreWarnings[code] = (this.#moreWarnings[code] ?? 0) + count;
  }
}
