import { parentPort, workerData } from "node:worker_threads";
import { noteDescriptorsIn } from "../linux/open-descriptors.ts";
import { nameThread } from "../linux/thread.ts";
import { type Job, packError, type Report, type ThreadSettings } from "./protocol.ts";
import { RingCancelled } from "./ring.ts";

/** Sends a report to the main thread. It leaves at once, also from within a synchronous loop. */
export function tell(report: Report): void {
  parentPort?.postMessage(report);
}

/** Does each job that arrives at the thread called `name`, synchronously, and reports how it ended. */
export function serve(name: string, work: (job: Job) => void): void {
  const { descriptors }: ThreadSettings = workerData;
  noteDescriptorsIn(descriptors);
  nameThread(name);
  tell({ type: "ready" });
  parentPort?.on("message", (job: Job) => {
    try {
      work(job);
      tell({ type: "done" });
    } catch (error) {
      if (error instanceof RingCancelled) tell({ type: "cancelled" });
      else tell({ type: "failed", error: packError(error) });
    }
  });
}
