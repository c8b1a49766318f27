import { Buffer } from "node:buffer";
import { chmod, readdir, rmdir, unlink } from "node:fs/promises";
import type { SandboxPolicy } from "../base/option-words.ts";
import { fileSystemError } from "../base/system-error.ts";
import { canCallLinux } from "../system/lack.ts";
import type { DiscardJob } from "./messages.ts";
import { startLibuvPool, Thread } from "./thread.ts";

/**
 * Empties a directory that has an image's files. A thread of its own does it, confined to that directory; where Linux
 * cannot be called, this one does.
 */
export async function discardFromThread(directory: string, sandbox: SandboxPolicy): Promise<void> {
  if (await isEmpty(directory)) return;
  if (!(await canCallLinux())) return await emptyHere(directory);
  await startLibuvPool();
  await using thread = new Thread("apply-worker");
  await thread.do<DiscardJob>({ type: "discard", staging: directory, sandbox });
}

/** Empties a private directory of this process. Modes that close directories are no obstacle; no symlink is followed. */
async function emptyHere(directory: string): Promise<void> {
  try {
    await emptyAt(Buffer.from(directory));
  } catch (error) {
    throw fileSystemError(error, `empty "${directory}"`);
  }
}

/** Paths are bytes, because names need not be UTF-8. */
async function emptyAt(directory: Buffer): Promise<void> {
  await chmod(directory, 0o700);
  for (const entry of await readdir(directory, { withFileTypes: true, encoding: "buffer" })) {
    const path = Buffer.concat([directory, Buffer.from("/"), entry.name]);
    if (!entry.isDirectory()) await unlink(path);
    else {
      await emptyAt(path);
      await rmdir(path);
    }
  }
}

async function isEmpty(directory: string): Promise<boolean> {
  try {
    return (await readdir(directory)).length === 0;
  } catch (error) {
    throw fileSystemError(error, `empty "${directory}"`);
  }
}
