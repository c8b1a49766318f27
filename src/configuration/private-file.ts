import { randomBytes } from "node:crypto";
import { access, constants, lstat, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { OciUnpackError } from "../base/errors.ts";
import { fileSystemError, isErrno } from "../base/system-error.ts";

/**
 * Replaces a file that only its owner may read, all at once: whoever reads it meanwhile sees the old text or the new.
 *
 * Refuses places where somebody else could have the last word: a symlink, another user's file, a directory that others
 * may write to. A file that was readable by others no longer is.
 */
export async function writePrivateFile(path: string, text: string, owner: number): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await refuseUnsafePlace(path, owner);
    await replaceFile(path, text);
  } catch (error) {
    throw fileSystemError(error, `write "${path}"`);
  }
}

/** Whether this user has, or can make, the directory of a file, and may write to it. */
export async function canHold(path: string): Promise<boolean> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await access(dirname(path), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

async function refuseUnsafePlace(path: string, owner: number): Promise<void> {
  const directory = await stat(dirname(path));
  // In a sticky directory such as /tmp, others may add files but not replace this one.
  if ((directory.mode & 0o022) !== 0 && (directory.mode & 0o1000) === 0) {
    throw unsafe(
      path,
      "others may write to its directory",
      "close that to them (chmod go-w), or name a file in another one",
    );
  }
  const file = await existing(path);
  if (file === undefined) return;
  if (file.isSymbolicLink()) throw unsafe(path, "it is a symlink", "name the file that it points to");
  if (!file.isFile()) throw unsafe(path, "it is not a regular file", "name another one");
  if (file.uid !== owner) throw unsafe(path, `it belongs to user ${file.uid}`, "name a file of your own");
}

async function existing(path: string) {
  try {
    return await lstat(path);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    await using file = await open(temporary, "wx", 0o600);
    await file.writeFile(text);
    await file.sync();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

function unsafe(path: string, found: string, hint: string): OciUnpackError {
  return new OciUnpackError("INVALID_OPTION", `cannot write "${path}": ${found}`, { hint });
}
