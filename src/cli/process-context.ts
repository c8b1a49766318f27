import type { Writable } from "node:stream";
import type { Machine } from "../index.ts";
import type { StartedWorker } from "../worker/started-worker.ts";

/** Where the command writes: standard output, standard error, or an object in a test. */
export interface CommandOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** Where the command reads: standard input, or a stream in a test. */
export interface CommandInput extends NodeJS.ReadableStream {
  readonly isTTY?: boolean;
}

/**
 * What the command uses of its process: the environment and the three streams.
 *
 * It also uses signals, in interrupt.ts and live-display.ts.
 */
export interface ProcessContext extends Machine {
  readonly gid: number;
  readonly input: CommandInput;
  readonly output: CommandOutput;
  /** Standard output for bytes, for archives and files. */
  readonly binaryOutput: Writable;
  readonly errors: CommandOutput;
  /** Threads that run already, for whatever needs such. Default: none. */
  readonly threads?: readonly StartedWorker[];
}

/** The parts that the library needs to know about the machine. */
export function machineOf({ env, homeDirectory, uid, systemDirectory }: ProcessContext): Machine {
  return { env, homeDirectory, uid, systemDirectory };
}

/**
 * The exit codes: done, failed, wrong command line, found different by verify or diff. Those after a signal are in
 * interrupt.ts.
 */
export const exitCodes = { done: 0, failed: 1, usage: 2, different: 3 } as const;
