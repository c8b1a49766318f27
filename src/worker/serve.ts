import { parentPort, workerData } from "node:worker_threads";
import { noteDescriptorsIn } from "../linux/open-descriptors.ts";
import { nameThread } from "../linux/thread.ts";
import type { EngineReport, Job, Message, ThreadSettings } from "./messages.ts";
import { packError } from "./packed-error.ts";
import { RingCancelled } from "./ring.ts";

/** Sends a report to the main thread. It leaves at once, also from within a synchronous loop. */
export function tell<Report extends Message = EngineReport>(report: NoInfer<Report>): void {
  parentPort?.postMessage(report);
}

/** What a thread does, for each type of job that it is given. */
export type Work<Jobs extends Job> = { readonly [Type in Jobs["type"]]: (job: Extract<Jobs, { type: Type }>) => void };

/** Does each job that arrives at the thread called `name`, synchronously, and reports how it ended. */
export function serve<Jobs extends Job>(name: string, work: Work<Jobs>): void {
  const { descriptors }: ThreadSettings = workerData;
  const doings = new Map<string, (job: never) => void>(Object.entries(work));
  noteDescriptorsIn(descriptors);
  nameThread(name);
  tell({ type: "ready" });
  parentPort?.on("message", (job: Job) => {
    try {
      const doing = doings.get(job.type);
      if (doing === undefined) throw new TypeError(`the thread ${name} knows no job "${job.type}"`);
      doing(job as never);
      tell({ type: "done" });
    } catch (error) {
      if (error instanceof RingCancelled) tell({ type: "cancelled" });
      else tell({ type: "failed", error: packError(error) });
    }
  });
}
