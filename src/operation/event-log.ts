import type { OciUnpackEvent, SandboxStatus, WarningCode } from "../base/events.ts";
import { present } from "../base/present.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type EngineReport, unknownReport } from "../worker/messages.ts";
import type { Progress } from "../worker/progress.ts";
import { FindingsRecord, type ImageFinding, type ImageFindings } from "./image-findings.ts";
import type { SkippedEntry, UnpackOptions, UnpackResult } from "./options.ts";

/** How many skipped entries a result lists. */
const listedSkipped = 1000;

type Summary = Pick<UnpackResult, "skipped" | "skippedCount" | "warnings" | "sandbox">;

/**
 * Tells the events of one call to its listener as they happen, and sums up what the result needs of them.
 *
 * A listener that throws does not interrupt the code that tells. Its error becomes the reason of `signal` instead,
 * which ends the call as an abort by the caller does.
 */
export class EventLog {
  readonly signal: AbortSignal;
  readonly #listener: UnpackOptions["onEvent"];
  readonly #stop = new AbortController();
  readonly #skipped: SkippedEntry[] = [];
  #skippedCount = 0;
  readonly #warnings: Partial<Record<WarningCode, number>> = {};
  #sandbox: SandboxStatus | undefined;
  #record: FindingsRecord | undefined;

  constructor(options: Pick<UnpackOptions, "onEvent" | "signal">) {
    this.#listener = options.onEvent;
    this.signal =
      options.signal === undefined ? this.#stop.signal : AbortSignal.any([options.signal, this.#stop.signal]);
  }

  /** Tells one event. Never throws. */
  readonly tell = (event: OciUnpackEvent): void => {
    if (event.type === "skipped") this.#countSkipped(event);
    if (event.type === "warning") this.#countWarnings(event.code, 1);
    if (this.#stop.signal.aborted) return;
    try {
      this.#listener?.(event);
    } catch (error) {
      this.#stop.abort(error);
    }
  };

  /** Passes on what a working thread reports. */
  readonly report = (report: EngineReport): void => {
    switch (report.type) {
      case "layer-started":
      case "layer-finished":
        this.tell(report);
        break;
      case "skipped":
      case "warning":
      case "untold":
        this.find(report);
        break;
      case "confined":
        this.#tellSandbox(report.status);
        break;
      case "ready":
      case "space":
      case "bytes":
      case "done":
      case "cancelled":
      case "failed":
        break; // for whoever runs the threads
      default:
        this.#stop.abort(unknownReport(report));
    }
  };

  /** Tells or counts what was found in the image's content. Never throws. */
  find(finding: ImageFinding): void {
    this.#record?.add(finding);
    if (finding.type !== "untold") return this.tell(finding);
    this.#skippedCount += finding.skipped;
    for (const [code, count] of Object.entries(finding.warnings)) this.#countWarnings(code as WarningCode, count);
  }

  /** From now on takes down what is found in the image's content. It takes memory, and few need it. */
  takeDown(): void {
    this.#record = new FindingsRecord();
  }

  /** What was found in the image's content since `takeDown`. */
  get found(): ImageFindings {
    return { findings: this.#record?.findings ?? [], ...present({ sandbox: this.#sandbox }) };
  }

  /** Tells again what was found when something was made that is there still. */
  findAgain({ findings, sandbox }: ImageFindings): void {
    this.#sandbox = sandbox;
    if (sandbox !== undefined) this.tell({ type: "sandbox", status: sandbox });
    for (const finding of findings) this.find(finding);
  }

  summary(): Summary {
    return {
      skipped: this.#skipped,
      skippedCount: this.#skippedCount,
      warnings: this.#warnings,
      sandbox: this.#sandbox ?? { state: "off" },
    };
  }

  /** Both threads report; the weaker answer is the answer. */
  #tellSandbox(status: SandboxStatus): void {
    const first = this.#sandbox;
    if (first === undefined || status.state !== "enforced") this.#sandbox = status;
    if (first !== undefined && this.#sandbox !== undefined) this.tell({ type: "sandbox", status: this.#sandbox });
  }

  #countSkipped({ layer, path, reason, detail }: SkippedEntry): void {
    this.#skippedCount += 1;
    if (this.#skipped.length < listedSkipped) this.#skipped.push({ layer, path, reason, detail });
  }

  #countWarnings(code: WarningCode, count: number): void {
    this.#warnings[code] = (this.#warnings[code] ?? 0) + count;
  }
}

const tickMilliseconds = 100;

/** Turns the shared counters into events, ten times a second, for the layers that moved since the last time. */
export class ProgressTicker implements Disposable {
  readonly #layers: readonly Descriptor[];
  readonly #progress: Progress;
  readonly #tell: (event: OciUnpackEvent) => void;
  readonly #told = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  #hasEnded = false;

  constructor(layers: readonly Descriptor[], progress: Progress, tell: (event: OciUnpackEvent) => void) {
    this.#layers = layers;
    this.#progress = progress;
    this.#tell = tell;
    this.#timer = setInterval(() => this.#tick(), tickMilliseconds);
  }

  /** Ends with a last tick, so that whoever listens sees the final numbers. To end it again does nothing. */
  [Symbol.dispose](): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearInterval(this.#timer);
    this.#tick();
  }

  #tick(): void {
    for (const [layer, { sizeBytes: totalBytes }] of this.#layers.entries()) {
      const downloaded = this.#progress.downloadedBytes(layer);
      if (this.#moved(`download ${layer}`, downloaded)) {
        this.#tell({ type: "download-progress", layer, bytes: downloaded, totalBytes });
      }
      const entries = this.#progress.entries(layer);
      const bytes = this.#progress.readBytes(layer);
      if (this.#moved(`apply ${layer}`, bytes + entries)) {
        this.#tell({ type: "layer-progress", layer, bytes, totalBytes, entries });
      }
    }
  }

  #moved(what: string, now: number): boolean {
    if ((this.#told.get(what) ?? 0) === now) return false;
    this.#told.set(what, now);
    return true;
  }
}
