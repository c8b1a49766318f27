import { mkdir, rmdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { OciUnpackError } from "../base/errors.ts";
import { fileSystemError, isErrno } from "../base/system-error.ts";

/**
 * Makes a directory and the parents that it needs. Returns the uppermost directory that was made, or `undefined` if
 * none was. If it fails, it removes what it made.
 *
 * Node's `recursive` reports ENOENT for a read-only file system, and leaves the parents behind.
 */
export async function makeDirectories(directory: string, mode: number): Promise<string | undefined> {
  const parent = dirname(directory);
  try {
    return (await make(directory, mode)) ? directory : undefined;
  } catch (error) {
    if (!isErrno(error, "ENOENT") || parent === directory) throw error;
  }
  const first = await makeDirectories(parent, mode);
  try {
    return (await make(directory, mode)) ? (first ?? directory) : first;
  } catch (error) {
    await removeCreated(parent, first);
    throw error;
  }
}

/**
 * Removes the directories from `directory` up to `firstCreated`, which `makeDirectories` made, as far as they are
 * empty.
 */
export async function removeCreated(directory: string, firstCreated: string | undefined): Promise<void> {
  if (firstCreated === undefined) return;
  for (let current = directory; current.length >= firstCreated.length; current = dirname(current)) {
    try {
      await rmdir(current);
    } catch {
      return; // somebody else put something there meanwhile
    }
  }
}

/** Returns whether the directory was made, or was there before. */
async function make(directory: string, mode: number): Promise<boolean> {
  try {
    await mkdir(directory, { mode });
    return true;
  } catch (error) {
    if (isErrno(error, "EEXIST") && (await isDirectory(directory))) return false;
    throw error;
  }
}

function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isDirectory(),
    () => false,
  );
}

/**
 * The error for a directory or a file that an output cannot be made in: `TARGET_UNUSABLE` with what the file system
 * says, or that the disk is full. `hint` says what to name instead.
 */
export function targetError(error: unknown, attempted: string, hint: string): unknown {
  const ours = fileSystemError(error, attempted);
  if (!(ours instanceof OciUnpackError) || ours.code !== "FILE_SYSTEM") return ours;
  return new OciUnpackError("TARGET_UNUSABLE", ours.message, {
    hint: ours.hint ?? hint,
    details: ours.details,
    cause: error,
  });
}
