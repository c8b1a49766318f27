import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { pause } from "../base/abort.ts";
import { statIfThere } from "../base/if-there.ts";
import { fileLocks, type LockKind } from "../system/locks.ts";

const shortestPauseMilliseconds = 5;
const longestPauseMilliseconds = 200;

/** After how long a wait for a lock is reported. */
const silentMilliseconds = 1000;

interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once if the wait becomes long. */
  readonly onWait?: (() => void) | undefined;
}

/**
 * Opens a file, or creates it, and locks it as soon as no other lock prevents that. The lock ends when the file is
 * closed or the process ends, also if it is killed.
 *
 * The lock is tried again and again: a lock call that waits in the kernel would block a thread and could not be
 * aborted.
 */
export async function openLocked(path: string, kind: LockKind, options: LockOptions = {}): Promise<FileHandle> {
  for (;;) {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      await lock(path, file, kind, options);
      // The process that held the lock may have renamed or removed the file.
      if (await isAt(path, file)) return file;
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
  }
}

async function lock(path: string, file: FileHandle, kind: LockKind, { signal, onWait }: LockOptions): Promise<void> {
  const tryLock = await fileLocks();
  signal?.throwIfAborted();
  let waited = 0;
  for (let milliseconds = shortestPauseMilliseconds; !(await tryLock(path, file, kind)); ) {
    await pause(milliseconds, signal);
    if (waited < silentMilliseconds && waited + milliseconds >= silentMilliseconds) onWait?.();
    waited += milliseconds;
    milliseconds = Math.min(2 * milliseconds, longestPauseMilliseconds);
  }
}

async function isAt(path: string, file: FileHandle): Promise<boolean> {
  const ours = await file.stat();
  const there = await statIfThere(path);
  return there !== undefined && there.dev === ours.dev && there.ino === ours.ino;
}
