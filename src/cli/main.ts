#!/usr/bin/env node
// The global `process`: an import would read all of its members and open all three streams (2 ms of 28 on Node 20).
import { version } from "../base/version.ts";
import type { ErrorCode } from "../index.ts";
import type { StartedWorker } from "../worker/started-worker.ts";
import type { CommandEvent } from "./json-outputs.ts";
import type * as Program from "./run.ts";

const args = process.argv.slice(2);

/** The exit codes that are no failure: done, and found different (`exitCodes`). Without the output they would mislead. */
const answers: readonly number[] = [0, 3];

/** How long the end may wait for what is left, and how long after a signal, when output that nobody reads may be. */
const lastMilliseconds = 2000;
const interruptedMilliseconds = 100;

/** How long after a signal the reader of JSON is waited for: it is a program that has no use for half an object. */
const jsonReaderMilliseconds = 5000;

// The reader of the output may have ended (`oci-unpack --help | head -1`): that is no reason to crash, or to stop.
let lost: NodeJS.ErrnoException | undefined;
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") lost ??= error;
});

main().then(end);

/**
 * Ends the process. `process.exit` is faster than letting Node come to its end, 7 ms of 250 for a tiny image. But from
 * Node 24 on V8 compiles more in threads of its own, and one that waits for the garbage collector then is waited for, for
 * ever (nodejs/node#54918; seen once, on Node 26, after a list of 200,000 files). Node's own end has no such wait since 24.
 */
function end(exitCode: number): void {
  const [major = 0] = process.versions.node.split(".").map(Number);
  if (major < 24) process.exit(exitCode);
  process.exitCode = exitCode;
  // Only if something is left that keeps the process alive.
  setTimeout(() => process.exit(exitCode), exitCode < 128 ? lastMilliseconds : interruptedMilliseconds).unref();
}

async function main(): Promise<number> {
  const isVersion = args.length === 1 && args[0] === "--version";
  const exitCode = isVersion ? await tellVersion() : await perform().catch(unloadable);
  const answer = answers.includes(exitCode) ? await insistOnOutput(exitCode) : exitCode;
  if (answer < 128) await drained(process.stdout);
  // After a signal no other reader is waited for: it may have stopped as well, as a pager does.
  else if (args.includes("--json")) await Promise.race([drained(process.stdout), passed(jsonReaderMilliseconds)]);
  return answer;
}

/** Loads nothing else, because scripts ask for the version first. */
async function tellVersion(): Promise<number> {
  process.stdout.write(`${version()}\n`);
  return 0;
}

async function perform(): Promise<number> {
  // If messages cannot be written, that cannot be reported.
  process.stderr.on("error", () => {});
  const { guess, startThreads } = await import("./early-start.ts");
  const { isUsual, threads: wanted } = guess(args);
  if (wanted.length === 0) return await performWith([], import("./run.ts"));
  const threads = startThreads(wanted);
  try {
    return await performWith(threads, isUsual ? import("./usual-run.ts") : import("./run.ts"));
  } finally {
    // A process that exits while a thread loads native code is aborted (seen on Node 20).
    for (const { loaded } of threads) await loaded;
    for (const { worker } of threads) worker.unref();
  }
}

async function performWith(threads: readonly StartedWorker[], loading: Promise<typeof Program>): Promise<number> {
  const [{ homedir }, { run }] = await Promise.all([import("node:os"), loading]);
  const exitCode = await run(args, {
    threads,
    env: process.env,
    homeDirectory: homeOf(homedir),
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    input: process.stdin,
    output: process.stdout,
    binaryOutput: process.stdout,
    errors: process.stderr,
  });
  await drained(process.stderr);
  return exitCode;
}

/** Standard output may be a file on a full disk: if output was lost, the command has failed. */
async function insistOnOutput(exitCode: number): Promise<number> {
  await drained(process.stdout);
  if (lost === undefined) return exitCode;
  process.stderr.on("error", () => {});
  await tellFailure(`cannot write to standard output: ${lost.message}`, "make room, or send it elsewhere");
  return 1;
}

/** What goes wrong around the command is told here, where nothing else need be loaded. */
async function tellFailure(message: string, hint: string, code: ErrorCode = "FILE_SYSTEM"): Promise<void> {
  const forPrograms = { type: "failed", error: { code, message, hint } } satisfies CommandEvent;
  const isForPrograms = args.includes("--json-events");
  process.stderr.write(isForPrograms ? `${JSON.stringify(forPrograms)}\n` : `error: ${message}\nhint: ${hint}\n`);
  await drained(process.stderr);
}

function passed(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}

/** Waits until everything has been written to a stream, or it has failed. */
async function drained(stream: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((resolve) => stream.write("", () => resolve()));
}

/** The home directory. In a container the user often has no entry in /etc/passwd, and then no home directory. */
function homeOf(homedir: () => string): string {
  try {
    return homedir();
  } catch {
    return "/nonexistent";
  }
}

/** Reports the error if a part of the command could not be loaded. */
async function unloadable(error: unknown): Promise<number> {
  const message = error instanceof Error ? error.message : String(error);
  await tellFailure(`cannot go on: ${message}`, "allow more open files (ulimit -n), or install it again", "INTERNAL");
  return 1;
}
