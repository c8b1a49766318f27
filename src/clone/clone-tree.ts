import { availableParallelism } from "node:os";
import { onAbort, together } from "../base/abort.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import type { FileSystemTraits } from "../rootfs/file-system-probe.ts";
import type { ListLayout, XattrLists } from "../store/kept-trees.ts";
import type { EngineReport } from "../worker/messages.ts";
import { startLibuvPool, Thread } from "../worker/thread.ts";
import { cancelCloning, createControl } from "./clone-control.ts";
import type { CloneJob, CloneReport, CompleteCloneJob, PrepareCloneJob } from "./clone-job.ts";
import type { Transfer } from "./new-files.ts";

/** What is cloned, and whereto. */
export interface Cloning {
  /** Absolute path of the kept tree's directory. */
  readonly tree: string;
  readonly layout: ListLayout;
  readonly xattrs: XattrLists;
  /** Absolute path of the empty directory that becomes the clone. */
  readonly staging: string;
  readonly transfer: Transfer;
  readonly sandbox: SandboxPolicy;
  /** Must not throw. */
  readonly onReport: (report: EngineReport) => void;
  readonly signal: AbortSignal;
}

/** More threads than this gain little: they wait for the same directories, and for the same disk. */
const mostThreads = 4;

/** The threads that clone a tree, side by side. They can clone one: they are confined to it. */
export class CloneThreads implements AsyncDisposable {
  readonly #threads: readonly Thread[];

  private constructor(threads: readonly Thread[]) {
    this.#threads = threads;
  }

  static async start(): Promise<CloneThreads> {
    await startLibuvPool();
    const count = Math.min(availableParallelism(), mostThreads);
    const threads: Thread[] = [];
    const started = new CloneThreads(threads);
    try {
      while (threads.length < count) threads.push(new Thread("apply-worker"));
      return started;
    } catch (error) {
      await started[Symbol.asyncDispose](); // they would keep the process alive
      throw error;
    }
  }

  /**
   * Clones a kept tree. If that is not as it was recorded any more, returns what was found; then, as after an error, what
   * was made is for the caller to remove.
   */
  async clone({
    tree,
    layout,
    xattrs,
    staging,
    transfer,
    sandbox,
    onReport,
    signal,
  }: Cloning): Promise<string | undefined> {
    const [first] = this.#threads;
    if (first === undefined) throw new TypeError("there is no thread");
    const control = createControl();
    const step = { tree, staging, xattrs, transfer, sandbox } as const;
    let fileSystem: FileSystemTraits | undefined;
    let change: string | undefined;
    const take = (report: EngineReport | CloneReport) => {
      if (report.type === "prepared") fileSystem = report.fileSystem;
      else if (report.type === "tree-changed") {
        change ??= report.found;
        cancelCloning(control);
      } else onReport(report);
    };
    await together(signal, [
      (stop) => first.do<PrepareCloneJob, CloneReport>({ type: "prepare-clone", ...step }, { onReport: take, stop }),
    ]);
    if (fileSystem === undefined) return change;
    const making = { ...step, fileSystem, control };
    const jobs = this.#threads.map((thread, index) => async (stop: AbortSignal) => {
      const listenNoMore = onAbort(stop, () => cancelCloning(control));
      const job: CloneJob = { type: "clone", parts: layout.parts, isTold: index === 0, ...making };
      await thread.do<CloneJob, CloneReport>(job, { onReport: take, stop }).finally(listenNoMore);
    });
    await together(signal, jobs);
    if (change !== undefined) return change;
    const { links, directories } = layout;
    await together(signal, [
      async (stop) => {
        const listenNoMore = onAbort(stop, () => cancelCloning(control));
        const job: CompleteCloneJob = { type: "complete-clone", links, directories, ...making };
        await first.do<CompleteCloneJob, CloneReport>(job, { onReport: take, stop }).finally(listenNoMore);
      },
    ]);
    return change;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread[Symbol.asyncDispose]()));
  }
}
