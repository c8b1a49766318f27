import type { StartedWorker, ThreadName } from "./started-worker.ts";

const early: StartedWorker[] = [];

/** Gives workers that were started before anybody wanted them to whoever wants one of their name next. */
export function offerWorkers(workers: readonly StartedWorker[]): void {
  early.push(...workers);
}

/** An offered worker of that name, with as much room, if there is one and it still runs. */
export function takeOffered(name: ThreadName, memoryBytes: number | undefined): StartedWorker | undefined {
  const index = early.findIndex((worker) => worker.name === name && worker.memoryBytes === memoryBytes);
  if (index < 0) return undefined;
  const [worker] = early.splice(index, 1);
  return worker?.isAlive() ? worker : undefined;
}
