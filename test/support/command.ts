import { type ExecFileException, execFile } from "node:child_process";

/** How a command ended, and what it said. */
export interface Outcome {
  /** The exit status; `undefined` where a signal ended it. */
  readonly status: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly directory?: string;
  /** Added to this process's environment. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

const MiB = 1024 * 1024;

/** Runs a command to its end, whatever that is. Rejects only where it could not be started at all. */
export function outcomeOf(command: string, args: readonly string[], options: CommandOptions = {}): Promise<Outcome> {
  const { directory, environment, signal } = options;
  const settings = {
    maxBuffer: 64 * MiB,
    env: { ...process.env, ...environment },
    ...(directory === undefined ? {} : { cwd: directory }),
    ...(signal === undefined ? {} : { signal }),
  };
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, settings, (error, stdout, stderr) => {
      if (error !== null && neverRan(error)) reject(error);
      else resolve({ status: child.exitCode ?? undefined, signal: child.signalCode ?? undefined, stdout, stderr });
    });
  });
}

/** Runs a command that must succeed and gives what it wrote to standard output. */
export async function output(command: string, args: readonly string[], options?: CommandOptions): Promise<string> {
  const { status, signal, stdout, stderr } = await outcomeOf(command, args, options);
  if (status === 0) return stdout;
  throw new Error(`cannot run ${command} ${args.join(" ")}: ${signal ?? `exit status ${status}`}: ${stderr.trim()}`);
}

function neverRan(error: ExecFileException): boolean {
  return typeof error.code === "string";
}
