import { Worker } from "node:worker_threads";

// Loaded before everything else (node --import) where the machine has no Landlock: no thread's job asks for a sandbox, and
// what is not about the sandbox can still be tried.

const { postMessage } = Worker.prototype;

Worker.prototype.postMessage = function (this: Worker, job: unknown, ...others) {
  const asksForSandbox = typeof job === "object" && job !== null && "sandbox" in job && job.sandbox === "require";
  return postMessage.call(this, asksForSandbox ? { ...job, sandbox: "off" } : job, ...others);
};
