import { closeSync } from "node:fs";
import { stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { onAbort } from "../base/abort.ts";
import { OciUnpackError } from "../base/errors.ts";
import { descriptorsIn, isHalted } from "../base/open-descriptors.ts";
import { present } from "../base/present.ts";
import { cannotStart } from "../base/system-error.ts";
import { takeOffered } from "./early-workers.ts";
import { type EngineReport, type Job, type Message, unpackError } from "./messages.ts";
import { type StartedWorker, startWorker, type ThreadName } from "./started-worker.ts";

export interface DoOptions<Own extends Message> {
  /** Is called with each report. Must not throw. */
  readonly onReport?: (report: EngineReport | Own) => void;
  /** When it is aborted, the job has a second to end by itself. Then the thread is ended. */
  readonly stop?: AbortSignal;
}

/**
 * How long a thread may take to stop after an abort. It checks whenever it reads or writes bytes. A thread that a
 * hostile image keeps busy for longer is ended.
 */
const graceMilliseconds = 1000;

/**
 * How often to check whether a thread is between two system calls, where it can be ended without leaking a descriptor.
 */
const haltMilliseconds = 2;

/**
 * Makes sure that libuv's pool of threads runs.
 *
 * If a confined thread started the pool, the pool would be confined too, and so would be all asynchronous file access
 * of the process from then on (seen on Node 22 and newer). Confined threads do nothing asynchronous, so that they do
 * not start it; this is a second precaution. In most programs the pool runs already, because Node's loader uses it. A
 * program that loads this library with `require` has none (seen on Node 22, 24 and 26).
 */
export async function startLibuvPool(): Promise<void> {
  await stat("/");
}

/** A working thread, as the main thread uses it: it is given jobs, sends reports, and is ended by disposing of it. */
export class Thread implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #descriptors: SharedArrayBuffer;
  /** Resolves when the thread's code is loaded, or the thread has ended. */
  readonly #loaded: Promise<void>;
  #onReport: (report: never) => void = () => {};
  #settle: { resolve(): void; reject(error: unknown): void } | undefined;
  #failure: OciUnpackError | undefined;
  #hasEnded = false;
  #ending: Promise<void> | undefined;

  /**
   * Starts a thread that runs the file `threads/NAME`, or takes one that was offered. The pool must run before it gets a
   * job: see `startLibuvPool`. With `memoryBytes` its heap has room for as much.
   */
  constructor(name: ThreadName, memoryBytes?: number) {
    const started = startedWorker(name, memoryBytes);
    this.#worker = started.worker;
    this.#descriptors = started.descriptors;
    this.#loaded = started.loaded;
    this.#worker.on("message", (report: EngineReport) => this.#receive(report));
    this.#worker.on("error", (error) => {
      this.#failure ??= threadError(error);
    });
    this.#worker.on("exit", (status) => this.#ended(status));
  }

  /**
   * Does a job. `onReport` gets its reports until the promise settles. A job that was cancelled counts as done. When
   * the promise is rejected, the thread has ended or is idle.
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

  /**
   * Begins to end a thread that has nothing more to do. Disposing of it waits until it has ended, which takes some
   * milliseconds: 12 of 230 for two threads and a tiny image, on Node 20.
   */
  retire(): void {
    this.#end(ended);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end(ended);
  }

  /** Ends the thread, whatever it is doing. A system call that it is in returns first. */
  #end(why: string): Promise<void> {
    this.#failure ??= new OciUnpackError("INTERNAL", why);
    this.#ending ??= this.#terminate();
    return this.#ending;
  }

  async #terminate(): Promise<void> {
    // A thread that is ended while it loads modules leaks their file descriptors (seen on Node 20).
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
    this.#onReport(report as never); // other reports have the type that whoever gave the job expects
  }

  #ended(status: number): void {
    this.#hasEnded = true;
    for (const descriptor of descriptorsIn(this.#descriptors)) close(descriptor);
    this.#failure ??= new OciUnpackError("INTERNAL", `cannot go on: a working thread ended with ${status}`);
    this.#settle?.reject(this.#failure);
    this.#settle = undefined;
  }
}

const ended = "the working thread was ended";
const unanswered = "cannot go on: a working thread did not answer and was ended";

/** Closes a descriptor. Linux closes it even when it reports an error. */
function close(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // The error is about data that could not be written. The file is removed anyway.
  }
}

/** The thread, or a new one in its stead if it has ended. */
export function living(thread: Thread, name: ThreadName, memoryBytes?: number): Thread {
  return thread.isAlive ? thread : new Thread(name, memoryBytes);
}

/** A thread that runs. Throws `OUT_OF_RESOURCES` if the system allows no further one. */
function startedWorker(name: ThreadName, memoryBytes?: number): StartedWorker {
  try {
    return takeOffered(name, memoryBytes) ?? startWorker(name, memoryBytes);
  } catch (error) {
    throw threadError(error as Error);
  }
}

/** The error for a thread that did not start or ended by itself: a lack of resources, or else a defect. */
function threadError(error: Error & { readonly code?: string; readonly hint?: string }): OciUnpackError {
  // Thrown while the thread loaded its code. Between threads an error loses its class.
  if (error.code === "UNSUPPORTED_SYSTEM") {
    return new OciUnpackError(error.code, error.message, present({ hint: error.hint, cause: error.cause }));
  }
  const shortage = cannotStart(error, "start a working thread", errnoOf(error));
  if (shortage !== undefined) return shortage;
  if (error.code === "ERR_WORKER_OUT_OF_MEMORY") {
    const message = "cannot work on the image: a thread needs more memory than Node gives it";
    const hint = "allow more, for instance 4 GiB: NODE_OPTIONS=--max-old-space-size=4096";
    return new OciUnpackError("OUT_OF_RESOURCES", message, { hint, cause: error });
  }
  const message = `cannot go on: a working thread failed: ${error.message}`;
  return new OciUnpackError("INTERNAL", message, { ...(isWithoutCode(error) && { hint: bundledHint }), cause: error });
}

/**
 * The name of the system's error. Where a thread did not start Node has it in the message alone.
 *
 * Linear: it is tried where words begin.
 */
function errnoOf({ code, message }: Error & { readonly code?: string }): string | undefined {
  return code === "ERR_WORKER_INIT_FAILED" ? (/\bE[A-Z]+$/.exec(message)?.[0] ?? "EAGAIN") : code;
}

/** A bundler that takes the library into a program leaves the threads' code behind, or even where the program lies. */
function isWithoutCode({ code, message }: Error & { readonly code?: string }): boolean {
  if (code === "ERR_INVALID_URL") return true;
  return (code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND") && message.includes("-worker.");
}

const bundledHint = "a bundler has to leave the package `oci-unpack` external, to be loaded from node_modules";
