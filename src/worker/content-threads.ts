import type { SandboxPolicy } from "../base/option-words.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import type { Job } from "./messages.ts";
import { createRing, type SharedRing } from "./ring.ts";
import { Thread } from "./thread.ts";

/** The rings to a thread that makes files, and from it. */
export interface ContentRings {
  readonly input: SharedRing;
  readonly output: SharedRing;
}

/** What a thread is to do that makes files, while the applying thread makes names: all files that come through its ring. */
export interface ContentJob extends Job, ContentRings {
  readonly type: "make-contents";
  /** Absolute path of the directory that the files are beneath, the only place where the thread may write. */
  readonly staging: string;
  readonly sandbox: SandboxPolicy;
  readonly settings: RootfsSettings;
}

/** Files come by the batch; the contents of large ones flow through. */
const inputRingBytes = 1024 * 1024;

/** Has room for what becomes of all files that are on their way, so that nobody ever waits for space in it. */
const outputRingBytes = 512 * 1024;

function createContentRings(): ContentRings {
  return { input: createRing(inputRingBytes, 1), output: createRing(outputRingBytes, 1) };
}

/** The threads that make files for the applying thread, for one run. */
export class ContentThreads implements AsyncDisposable {
  readonly rings: readonly ContentRings[];
  readonly #threads: Thread[] = [];

  constructor(count = 0) {
    this.rings = Array.from({ length: count }, createContentRings);
  }

  /** Starts them, and lets them make files until their rings are ended or cancelled. */
  async run(job: Pick<ContentJob, "staging" | "sandbox" | "settings">, stop: AbortSignal): Promise<void> {
    for (const _ of this.rings) this.#threads.push(new Thread("content-worker"));
    await Promise.all(
      this.rings.map(({ input, output }, index) =>
        this.#threads[index]?.do<ContentJob>({ type: "make-contents", ...job, input, output }, { stop }),
      ),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread[Symbol.asyncDispose]()));
  }
}
