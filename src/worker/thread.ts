import { closeSync } from "node:fs";
import { stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type ResourceLimits, Worker } from "node:worker_threads";
import { onAbort } from "../base/abort.ts";
import { OciUnpackError } from "../base/errors.ts";
import { createDescriptorNotes, descriptorsIn, isHalted } from "../linux/open-descriptors.ts";
import type { EngineReport, Job, Message, ThreadSettings } from "./messages.ts";
import { unpackError } from "./packed-error.ts";

export interface DoOptions<Own extends Message> {
  /** Must not throw. */
  readonly onReport?: (report: EngineReport | Own) => void;
  /** When it is aborted, the job has to end by itself within a moment; else the thread is ended. */
  readonly stop?: AbortSignal;
}

/**
 * How long a job may take to notice that it is not wanted any more. Threads look whenever they take or give bytes; what a
 * hostile image keeps busy between two looks is not waited for.
 */
const graceMilliseconds = 1000;

/** How often one looks whether a thread is between two calls, where it can be ended without losing a descriptor. */
const haltMilliseconds = 2;

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

export type ThreadName = "decompress-worker" | "digest-worker" | "apply-worker" | "tree-worker" | "archive-worker";

/** A working thread, seen from the main thread: it is given jobs, tells reports, and ends when it is disposed of. */
export class Thread implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #descriptors = createDescriptorNotes();
  /** Settled when the thread's code is loaded, or will never be. */
  readonly #loaded: Promise<void>;
  #onReport: (report: never) => void = () => {};
  #settle: { resolve(): void; reject(error: unknown): void } | undefined;
  #failure: OciUnpackError | undefined;
  #hasEnded = false;

  /**
   * Starts the thread whose code is `name`. The pool must run before: see `startLibuvPool`. With `memoryBytes` it has a heap
   * for as much that it remembers.
   */
  constructor(name: ThreadName, memoryBytes?: number) {
    this.#worker = startedWorker(name, { descriptors: this.#descriptors }, memoryBytes);
    this.#worker.on("message", (report: EngineReport) => this.#receive(report));
    this.#worker.on("error", (error) => {
      this.#failure ??= threadError(error);
    });
    this.#worker.on("exit", (status) => this.#ended(status));
    this.#loaded = new Promise((resolve) => {
      this.#worker.once("message", () => resolve());
      this.#worker.once("exit", () => resolve());
    });
  }

  /**
   * Does a job. Reports arrive at `onReport` until the promise settles; a job that was cancelled counts as done. When the
   * promise is rejected, the thread has ended or does nothing any more.
   */
  async do<Doing extends Job, Own extends Message = never>(
    job: Doing,
    { onReport = () => {}, stop }: DoOptions<Own> = {},
  ): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    let grace: NodeJS.Timeout | undefined;
    const beginGrace = () => {
      grace = setTimeout(() => this.#end(unanswered), graceMilliseconds);
    };
    const listenNoMore = onAbort(stop, beginGrace);
    if (stop?.aborted) beginGrace();
    try {
      await new Promise<void>((resolve, reject) => {
        this.#onReport = onReport;
        this.#settle = { resolve, reject };
        this.#worker.postMessage(job);
      });
    } finally {
      listenNoMore();
      clearTimeout(grace);
    }
  }

  /** Whether the thread can still be given a job. */
  get isAlive(): boolean {
    return this.#failure === undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end("the working thread was ended");
  }

  /** Ends the thread, in whatever loop it is; one in a system call ends when that returns. */
  async #end(why: string): Promise<void> {
    this.#failure ??= new OciUnpackError("INTERNAL", why);
    // A thread that is ended while it loads modules leaves their files open (seen on Node 20).
    await this.#loaded;
    while (!this.#hasEnded && !isHalted(this.#descriptors)) await sleep(haltMilliseconds);
    await this.#worker.terminate();
  }

  #receive(report: EngineReport): void {
    if (report.type === "ready") return;
    const settle = this.#settle;
    if (report.type === "done" || report.type === "cancelled" || report.type === "failed") {
      this.#settle = undefined;
      if (report.type === "failed") settle?.reject(unpackError(report.error));
      else settle?.resolve();
      return;
    }
    this.#onReport(report as never); // what a job tells besides is of the type that whoever gave it expects
  }

  #ended(status: number): void {
    this.#hasEnded = true;
    for (const descriptor of descriptorsIn(this.#descriptors)) close(descriptor);
    this.#failure ??= new OciUnpackError("INTERNAL", `cannot go on: a working thread ended with ${status}`);
    this.#settle?.reject(this.#failure);
    this.#settle = undefined;
  }
}

const unanswered = "cannot go on: a working thread did not answer and was ended";

/** What Linux answers changes nothing: it is closed. */
function close(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // What could not be written any more was to be removed anyway.
  }
}

/** Starts a thread, or throws in words what Node throws at once where the system has no further thread to give. */
function startedWorker(name: ThreadName, settings: ThreadSettings, memoryBytes?: number): Worker {
  try {
    // The host's own loaders and flags have no business in there.
    return new Worker(codeOf(name), {
      execArgv: [],
      stdin: false,
      workerData: settings,
      resourceLimits: { ...youngGeneration, ...(memoryBytes !== undefined && oldGeneration(memoryBytes)) },
    });
  } catch (error) {
    throw threadError(error as Error);
  }
}

/** What ends a thread without its own doing is told apart from what would be a defect. */
function threadError(error: Error & { readonly code?: string; readonly hint?: string }): OciUnpackError {
  // Thrown while the thread loaded its code; on its way here it has lost its class.
  if (error.code === "UNSUPPORTED_SYSTEM") {
    return new OciUnpackError(error.code, error.message, {
      ...(error.hint && { hint: error.hint }),
      cause: error.cause,
    });
  }
  if (error.code === "ERR_WORKER_INIT_FAILED") {
    return new OciUnpackError(
      "OUT_OF_RESOURCES",
      `cannot start a working thread: the system has no more (${error.message})`,
      {
        cause: error,
        hint: "allow more processes (ulimit -u, or the control group's pids.max), or end some",
      },
    );
  }
  if (error.code === "ERR_WORKER_OUT_OF_MEMORY") {
    return new OciUnpackError(
      "OUT_OF_RESOURCES",
      "cannot work on the image: a thread needs more memory than Node gives it",
      {
        cause: error,
        hint: "allow more, for instance 4 GiB: NODE_OPTIONS=--max-old-space-size=4096",
      },
    );
  }
  return new OciUnpackError("INTERNAL", `cannot go on: a working thread failed: ${error.message}`, { cause: error });
}

/** What the threads allocate dies young. Measured with 118,000 files on Node 20: 186 MB in all instead of 232, no slower. */
const youngGeneration = { maxYoungGenerationSizeMb: 4 };

/**
 * What does not die at once would otherwise be kept until there is four times as much. Measured with 400,000 directories,
 * which take 125 MB, on Node 20: 272 MB in all instead of 652.
 */
function oldGeneration(memoryBytes: number): ResourceLimits {
  return { maxOldGenerationSizeMb: Math.ceil(memoryBytes / 2 ** 20) + besidesMegabytes };
}

/** Code, buffers, and what is in use for one entry. */
const besidesMegabytes = 24;

/**
 * The file of a thread's code, in `threads/`: beside this folder as compiled, but below where the package's single file lies.
 *
 * There it is CommonJS: a thread then has no loader of ES modules to start. Measured with a tiny image on Node 20, of whose
 * 240 ms of processor time two threads' start is a good part: 228 ms.
 */
function codeOf(name: ThreadName): URL {
  const isBundled = !new URL(".", import.meta.url).pathname.endsWith("/worker/");
  return new URL(isBundled ? `threads/${name}.cjs` : `../threads/${name}.js`, import.meta.url);
}
