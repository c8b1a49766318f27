import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import type { Environment } from "./machine.ts";

/** How a program is run. */
interface ProcessOptions {
  readonly env: Environment;
  readonly input: string;
  readonly deadlineMilliseconds: number;
  readonly signal?: AbortSignal | undefined;
}

/** How a program ended. */
type Outcome =
  | { readonly type: "ended"; readonly status: number | null; readonly output: string }
  | { readonly type: "not-started"; readonly cause: unknown }
  | { readonly type: "too-late" }
  | { readonly type: "too-long" };

const largestOutputBytes = 256 * 1024;

/** Runs a program without a shell, until it ends or until the deadline, and returns its standard output. */
export async function runProgram(path: string, argument: string, options: ProcessOptions): Promise<Outcome> {
  const { signal } = options;
  signal?.throwIfAborted();
  const deadline = AbortSignal.timeout(options.deadlineMilliseconds);
  const child = spawn(path, [argument], { env: { ...options.env }, stdio: ["pipe", "pipe", "ignore"] });
  const kill = () => {
    child.kill("SIGKILL");
    // Another program that it started may keep the pipe open for ever.
    child.stdout.destroy();
  };
  // Two listeners and not `AbortSignal.any`: Node 20 may collect its result before it aborts.
  signal?.addEventListener("abort", kill, { once: true });
  deadline.addEventListener("abort", kill, { once: true });
  try {
    child.stdin.on("error", () => {}); // A program need not read its input; its status tells whether it succeeded.
    child.stdin.end(options.input);
    const [exit, output] = await Promise.allSettled([once(child, "exit"), textOf(child.stdout, kill)]);
    signal?.throwIfAborted();
    if (deadline.aborted) return { type: "too-late" };
    if (exit.status === "rejected") return { type: "not-started", cause: exit.reason };
    if (output.status === "rejected") return { type: "too-long" };
    return { type: "ended", status: exit.value[0], output: output.value };
  } finally {
    signal?.removeEventListener("abort", kill);
    deadline.removeEventListener("abort", kill);
  }
}

async function textOf(stream: Readable, stop: () => void): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > largestOutputBytes) stop();
    else chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
