import { stat } from "node:fs";
import { defaultLimits } from "../base/limits.ts";
import { type StartedWorker, startWorker, type ThreadName } from "../worker/started-worker.ts";
import { commandNames } from "./command-table.ts";

/** First words and options with which nothing is unpacked into a directory, or not by the usual threads. */
const otherWords: readonly string[] = [...commandNames.filter((name) => name !== "unpack"), "help", "version"];
// Linear: each alternative is tried once, and what `.*` takes nobody else can take.
const otherOptions = /^(?:-h|-o.*|--?(?:name|digest)(?:=.*)?|--(?:help|version|limit|output.*|keep|clone)(?:=.*)?)$/;

/** A thread, and for how much its heap has room. */
type EarlyThread = readonly [ThreadName, number | undefined];

const decompressing: EarlyThread = ["decompress-worker", undefined];
const unpacking: readonly EarlyThread[] = [["apply-worker", defaultLimits.memoryBytes], decompressing];

/**
 * A sync does more before anything is decompressed. On two processors, that thread would hold up the main one while it
 * loads the command: with it a sync of 31,678 files took 1.06 times as long.
 */
const syncing: readonly EarlyThread[] = [["sync-worker", defaultLimits.memoryBytes]];

/** What a command line most likely asks for, and the threads that do it. */
interface Guess {
  /** Whether `usual-run.ts` does it. */
  readonly isUsual: boolean;
  readonly threads: readonly EarlyThread[];
}

/** Guesses before the command line is read. A wrong guess costs some processor time. */
export function guess(args: readonly string[]): Guess {
  const [verb = ""] = args;
  const isPlain = args.length > 1 && !args.some((each) => otherOptions.test(each));
  const isSync = verb === "sync";
  if (!isPlain || (!isSync && otherWords.includes(verb))) return { isUsual: false, threads: [] };
  return { isUsual: true, threads: isSync ? syncing : unpacking };
}

/**
 * Starts threads, so that they are ready when the rest of the program is loaded and a registry has answered. What does not
 * start now is started again when it is needed, and then the error is told.
 *
 * libuv's own threads are started before: where no more are allowed, libuv aborts the process without a word.
 */
export function startThreads(threads: readonly EarlyThread[]): readonly StartedWorker[] {
  stat("/", () => {});
  const started: StartedWorker[] = [];
  try {
    for (const [name, memoryBytes] of threads) started.push(startWorker(name, memoryBytes));
  } catch {
    // What did start is used, and does not keep the process alive.
  }
  return started;
}
