import { pathToFileURL } from "node:url";
import { type ResourceLimits, Worker } from "node:worker_threads";
import { createDescriptorNotes, waitUntilLoaded } from "../base/open-descriptors.ts";
import type { ThreadSettings } from "./messages.ts";

export type ThreadName =
  | "decompress-worker"
  | "ahead-worker"
  | "content-worker"
  | "digest-worker"
  | "apply-worker"
  | "files-worker"
  | "tree-worker"
  | "verify-worker"
  | "sync-worker"
  | "archive-worker";

/**
 * Node's side of a thread that has been started: what a `Thread` is made of, now or later. It keeps what happened before
 * somebody listens.
 */
export interface StartedWorker {
  readonly name: ThreadName;
  readonly memoryBytes: number | undefined;
  readonly worker: Worker;
  /** Where the thread writes down which file descriptors it has open. */
  readonly descriptors: SharedArrayBuffer;
  /** Resolves when the thread's code is loaded, or the thread has ended. */
  readonly loaded: Promise<void>;
  /** Whether the thread still runs. */
  readonly isAlive: () => boolean;
}

/**
 * Starts a thread that runs the file `threads/NAME`. With `memoryBytes` its heap has room for as much. Throws Node's
 * error if the system allows no further one.
 */
export function startWorker(name: ThreadName, memoryBytes?: number): StartedWorker {
  const descriptors = createDescriptorNotes();
  const settings: ThreadSettings = { descriptors };
  // The loaders and flags of the program must not apply to the thread.
  const worker = new Worker(codeOf(name), {
    execArgv: [],
    stdin: false,
    workerData: settings,
    resourceLimits: { ...youngGenerationOf(name), ...(memoryBytes !== undefined && oldGeneration(memoryBytes)) },
  });
  let isAlive = true;
  const end = () => {
    isAlive = false;
  };
  // Without a listener an error would end the program.
  worker.on("error", end);
  worker.once("exit", end);
  const loaded = new Promise<void>((resolve) => {
    worker.once("message", () => resolve());
    worker.once("exit", () => resolve());
  });
  holdExit(descriptors, loaded);
  return { name, memoryBytes, worker, descriptors, loaded, isAlive: () => isAlive };
}

/** The threads whose code is being loaded. */
const loading = new Set<SharedArrayBuffer>();

/** How long an exit may wait for such a thread. It takes some 60 ms. */
const loadingMilliseconds = 1000;

/**
 * Makes `process.exit`, and the end by an uncaught error, wait for a thread that loads its code: Node aborts the process
 * if the thread ends while it loads native code (seen on Node 20, 22, 24 and 26).
 */
function holdExit(descriptors: SharedArrayBuffer, loaded: Promise<void>): void {
  if (loading.size === 0) process.on("exit", waitForLoading);
  loading.add(descriptors);
  loaded.then(() => {
    loading.delete(descriptors);
    if (loading.size === 0) process.off("exit", waitForLoading);
  });
}

function waitForLoading(): void {
  for (const descriptors of loading) waitUntilLoaded(descriptors, loadingMilliseconds);
}

/**
 * Small for most, because most objects live shortly. Measured with 118,000 files on Node 20: 186 MB in all instead of 232,
 * no slower.
 */
const youngGeneration = { maxYoungGenerationSizeMb: 4 };

/**
 * What syncs keeps most of what it makes until the end. Measured with 31,678 files that are compared by size and time,
 * on Node 20: 1.5 s of processor time in all instead of 1.9, and 147 MB instead of 118.
 */
const largerYoungGeneration = { maxYoungGenerationSizeMb: 32 };

function youngGenerationOf(name: ThreadName): ResourceLimits {
  return name === "sync-worker" ? largerYoungGeneration : youngGeneration;
}

/**
 * Without a limit, V8 lets the heap grow to four times what is in use. Measured with 400,000 directories, which take
 * 125 MB, on Node 20: 272 MB in all instead of 652.
 */
function oldGeneration(memoryBytes: number): ResourceLimits {
  return { maxOldGenerationSizeMb: Math.ceil(memoryBytes / 2 ** 20) + besidesMegabytes };
}

/** For code, buffers and what one entry needs. */
const besidesMegabytes = 24;

/**
 * The file of a thread's code. As compiled it is in `../threads/`. In the package, which is bundled, it is in
 * `threads/` beside the library, which has more files in `chunks/`, and beside the command's `cli/`.
 *
 * The package's is CommonJS, so that the thread need not start the loader of ES modules. Measured with a tiny image on
 * Node 20: 228 ms of processor time in all instead of 240.
 */
function codeOf(name: ThreadName): URL {
  // The command is bundled as CommonJS, where `import.meta` is empty. `__filename` is everywhere after `node -e`.
  const here = new URL(".", import.meta.url ?? pathToFileURL(__filename));
  if (here.pathname.endsWith("/worker/")) return new URL(`../threads/${name}.js`, here);
  const isBelow = here.pathname.endsWith("/chunks/") || here.pathname.endsWith("/cli/");
  return new URL(`${isBelow ? "../" : ""}threads/${name}.cjs`, here);
}
