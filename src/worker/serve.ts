import { parentPort, workerData } from "node:worker_threads";
import { OciUnpackError, retold } from "../base/errors.ts";
import { noteDescriptorsIn, tellLoaded } from "../base/open-descriptors.ts";
import { loadThreadSystem } from "../system/sandbox.ts";
import { type EngineReport, type Job, type Message, packError, type ThreadSettings } from "./messages.ts";
import { RingCancelled } from "./ring.ts";

/** Sends a report to the main thread. It is sent at once, even from a synchronous loop. */
export function tell<Report extends Message = EngineReport>(report: NoInfer<Report>): void {
  parentPort?.postMessage(report);
}

/** The functions that do a thread's jobs, one for each type of job. */
type Work<Jobs extends Job> = { readonly [Type in Jobs["type"]]: (job: Extract<Jobs, { type: Type }>) => void };

/**
 * Does each job that this thread is sent, synchronously, and reports how it ended. Linux shows the thread as `name`.
 * What the system does for threads is loaded before, so that nothing waits when a job has begun.
 */
export function serve<Jobs extends Job>(name: string, work: Work<Jobs>): void {
  const { descriptors }: ThreadSettings = workerData;
  const actions = new Map<string, (job: never) => void>(Object.entries(work));
  noteDescriptorsIn(descriptors);
  // A rejection ends the thread, and whoever started it is told.
  loadThreadSystem().then(({ nameThread }) => {
    nameThread(name);
    tellLoaded();
    tell({ type: "ready" });
    parentPort?.on("message", (job: Job) => doJob(name, actions, job));
  });
}

function doJob(name: string, actions: ReadonlyMap<string, (job: never) => void>, job: Job): void {
  try {
    const action = actions.get(job.type);
    if (action === undefined) throw new TypeError(`the thread ${name} knows no job "${job.type}"`);
    action(job as never);
    tell({ type: "done" });
  } catch (error) {
    if (error instanceof RingCancelled) tell({ type: "cancelled" });
    else tell({ type: "failed", error: packError(error) });
  }
}

/**
 * Does something with a layer, and makes an error name it: in words counted from 1 at the bottom, in `details` from 0.
 */
export function inLayer<Result>(layer: number, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof OciUnpackError)) throw error;
    throw retold(error, `layer ${layer + 1}: ${error.message}`, { details: { layer } });
  }
}
