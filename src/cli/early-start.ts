import { stat } from "node:fs";
import { defaultLimits } from "../base/limits.ts";
import { type StartedWorker, startWorker, type ThreadName } from "../worker/started-worker.ts";
import { commandNames } from "./command-table.ts";

/** First words and options with which nothing is unpacked into a directory, or not by the usual threads. */
const otherWords: readonly string[] = [...commandNames.filter((name) => name !== "unpack"), "help", "version"];
// Linear: each alternative is tried once, and what `.*` takes nobody else can take.
const otherOptions = /^(?:-h|-o.*|--?(?:name|digest)(?:=.*)?|--(?:help|version|limit|output.*|keep|clone)(?:=.*)?)$/;

const threads: readonly (readonly [ThreadName, number | undefined])[] = [
  ["apply-worker", defaultLimits.memoryBytes],
  ["decompress-worker", undefined],
];

/**
 * Whether these arguments ask for what is asked for most, an image as a root filesystem. It is a guess, made before the
 * command line is read: a wrong one costs some processor time.
 */
export function isUsual(args: readonly string[]): boolean {
  return args.length > 1 && !otherWords.includes(args[0] ?? "") && !args.some((each) => otherOptions.test(each));
}

/**
 * Starts the threads that unpack, so that they are ready when the rest of the program is loaded and a registry has
 * answered. What does not start now is started again when it is needed, and then the error is told.
 *
 * libuv's own threads are started before: where no more are allowed, libuv aborts the process without a word.
 */
export function startUsualThreads(): readonly StartedWorker[] {
  stat("/", () => {});
  const started: StartedWorker[] = [];
  try {
    for (const [name, memoryBytes] of threads) started.push(startWorker(name, memoryBytes));
  } catch {
    // What did start is used, and does not keep the process alive.
  }
  return started;
}
