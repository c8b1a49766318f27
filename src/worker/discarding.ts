import { readdir } from "node:fs/promises";
import type { SandboxPolicy } from "../base/option-words.ts";
import { fileSystemError } from "../base/system-error.ts";
import type { DiscardJob } from "./messages.ts";
import { startLibuvPool, Thread } from "./thread.ts";

/** Empties a directory that has an image's files. A thread of its own does it, confined to that directory. */
export async function discardFromThread(directory: string, sandbox: SandboxPolicy): Promise<void> {
  if (await isEmpty(directory)) return;
  await startLibuvPool();
  await using thread = new Thread("apply-worker");
  await thread.do<DiscardJob>({ type: "discard", staging: directory, sandbox });
}

async function isEmpty(directory: string): Promise<boolean> {
  try {
    return (await readdir(directory)).length === 0;
  } catch (error) {
    throw fileSystemError(error, `empty "${directory}"`);
  }
}
