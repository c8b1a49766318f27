import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { pause } from "../base/abort.ts";
import { statIfThere } from "../base/if-there.ts";
import type { LockKind } from "../linux/lock.ts";

const shortestPauseMilliseconds = 5;
const longestPauseMilliseconds = 200;

/** How long it may take to get a lock before that is worth a word. */
const silentMilliseconds = 1000;

interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Hears, once, that the wait has become a long one. */
  readonly onWait?: (() => void) | undefined;
}

/**
 * Opens a file, made if need be, as soon as nobody holds a lock that excludes this one. Closing the file unlocks it,
 * and so does the end of the process, however it comes.
 *
 * The kernel could wait by itself, but on a thread, and nothing but the other process would end that.
 */
export async function openLocked(path: string, kind: LockKind, options: LockOptions = {}): Promise<FileHandle> {
  for (;;) {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      await lock(file, kind, options);
      // Whoever held the lock may have given the file another name, or removed it.
      if (await isAt(path, file)) return file;
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
  }
}

async function lock(file: FileHandle, kind: LockKind, { signal, onWait }: LockOptions): Promise<void> {
  const { tryLock } = await import("../linux/lock.ts");
  signal?.throwIfAborted();
  let waited = 0;
  for (let milliseconds = shortestPauseMilliseconds; !tryLock(file.fd, kind); ) {
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
