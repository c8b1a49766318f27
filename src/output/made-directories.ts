import { mkdir, rmdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { OciUnpackError } from "../base/errors.ts";
import { fileSystemError, isErrno } from "../base/system-error.ts";

/**
 * Makes a directory with the parents that it needs, and gives the uppermost one that had to be made; none, if it fails.
 *
 * Node's own `recursive` says of a read-only file system that there is no such file, and leaves the parents behind.
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

/** Removes, from the inside out and only while they are empty, the directories that were made here. */
export async function removeCreated(directory: string, firstCreated: string | undefined): Promise<void> {
  if (firstCreated === undefined) return;
  for (let current = directory; current.length >= firstCreated.length; current = dirname(current)) {
    try {
      await rmdir(current);
    } catch {
      return; // Somebody else put something there meanwhile.
    }
  }
}

/** Tells whether it was made here; else it was there. */
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
 * The error for a directory or a file that an output cannot be made in: `TARGET_UNUSABLE` with what the file system says, or
 * that the disk is full. `hint` says what to name instead.
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
