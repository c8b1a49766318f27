import type { Writable } from "node:stream";
import type { Machine } from "../index.ts";

/** Where the command writes: standard output, standard error, or a test's ears. */
export interface CommandOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** Where the command reads: standard input, or a test's mouth. */
export interface CommandInput extends NodeJS.ReadableStream {
  readonly isTTY?: boolean;
}

/**
 * What the command sees of its process: the machine's environment, and the three streams.
 *
 * Signals are the one thing more; interrupt.ts and live-display.ts listen to them.
 */
export interface ProcessContext extends Machine {
  readonly gid: number;
  readonly input: CommandInput;
  readonly output: CommandOutput;
  /** Where an archive goes: standard output again, but for bytes. */
  readonly binaryOutput: Writable;
  readonly errors: CommandOutput;
}

/** Of these, what the library is told of the machine. */
export function machineOf({ env, homeDirectory, uid, systemDirectory }: ProcessContext): Machine {
  return { env, homeDirectory, uid, systemDirectory };
}

/**
 * What a shell is told: done, failed, wrong command line, verified and found different. Interruptions add theirs, see
 * interrupt.ts.
 */
export const exitCodes = { done: 0, failed: 1, usage: 2, different: 3 } as const;
