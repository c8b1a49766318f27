import { stat } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { OciUnpackError } from "../errors.ts";
import { type Job, type Report, unpackError } from "./protocol.ts";

/**
 * Makes sure that libuv's pool of threads runs.
 *
 * Started by a thread that has confined itself, the pool would be confined with it, and with the pool all asynchronous
 * file access of this process, for ever (seen on Node 22 and newer). No confined thread starts it, because none does
 * anything asynchronous: this is the second precaution. Most programs have a running pool, since Node's loader uses it; one
 * that gets this library by `require` has none (seen on Node 22, 24 and 26).
 */
export async function startLibuvPool(): Promise<void> {
  await stat("/");
}

/** A working thread, seen from the main thread: it is given jobs, tells reports, and ends when it is disposed of. */
export class Thread implements AsyncDisposable {
  readonly #worker: Worker;
  /** Settled when the thread's code is loaded, or will never be. */
  readonly #loaded: Promise<void>;
  #onReport: (report: Report) => void = () => {};
  #settle: { resolve(): void; reject(error: unknown): void } | undefined;
  #failure: OciUnpackError | undefined;

  /** Starts the thread whose code is `name`. The pool must run before: see `startLibuvPool`. */
  constructor(name: "decompress-worker" | "digest-worker" | "apply-worker" | "tree-worker") {
    // The host's own loaders and flags have no business in there.
    this.#worker = new Worker(codeOf(name), { execArgv: [], stdin: false, resourceLimits });
    this.#worker.on("message", (report: Report) => this.#receive(report));
    this.#worker.on("error", (error) => this.#fail(`a working thread failed: ${error.message}`, error));
    this.#worker.on("exit", (status) => this.#fail(`a working thread ended with status ${status}`));
    this.#loaded = new Promise((resolve) => {
      this.#worker.once("message", () => resolve());
      this.#worker.once("exit", () => resolve());
    });
  }

  /** Does a job. Reports arrive at `onReport`, which must not throw, until the promise settles; one that was cancelled counts as done. */
  do(job: Job, onReport: (report: Report) => void = () => {}): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#onReport = onReport;
      this.#settle = { resolve, reject };
      this.#worker.postMessage(job);
    });
  }

  /** Whether the thread can still be given a job. */
  get isAlive(): boolean {
    return this.#failure === undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#failure ??= new OciUnpackError("INTERNAL", "the working thread was ended");
    // A thread that is ended while it loads modules leaves their files open (seen on Node 20).
    await this.#loaded;
    await this.#worker.terminate();
  }

  #receive(report: Report): void {
    if (report.type === "ready") return;
    const settle = this.#settle;
    if (report.type === "done" || report.type === "cancelled" || report.type === "failed") {
      this.#settle = undefined;
      if (report.type === "failed") settle?.reject(unpackError(report.error));
      else settle?.resolve();
      return;
    }
    this.#onReport(report);
  }

  #fail(message: string, cause?: unknown): void {
    this.#failure ??= new OciUnpackError("INTERNAL", message, { cause });
    this.#settle?.reject(this.#failure);
    this.#settle = undefined;
  }
}

/** What the threads allocate dies young. Measured with 118,000 files on Node 20: 186 MB in all instead of 232, no slower. */
const resourceLimits = { maxYoungGenerationSizeMb: 4 };

/**
 * The file of a thread's code: beside this one as compiled, but in `worker/` from where the package's single file lies.
 *
 * There it is CommonJS: a thread then has no loader of ES modules to start. Measured with a tiny image on Node 20, of whose
 * 240 ms of processor time two threads' start is a good part: 228 ms.
 */
function codeOf(name: string): URL {
  const isBundled = !new URL(".", import.meta.url).pathname.endsWith("/worker/");
  return new URL(isBundled ? `worker/${name}.cjs` : `${name}.js`, import.meta.url);
}
