import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { platform } from "node:process";
import { fileSystemError, isErrno } from "../base/system-error.ts";

/** A file without a name in its directory. It is gone when it is closed, also if this process is killed. */
export async function openTemporaryFile(directory: string): Promise<FileHandle> {
  if (platform !== "linux") return await openAndUnlink(directory);
  const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;
  try {
    return await open(directory, O_TMPFILE | constants.O_RDWR, 0o600);
  } catch (error) {
    if (!isUnsupported(error)) throw unusable(error, directory);
    return await openAndUnlink(directory);
  }
}

/** Writes all of `bytes` from `offset` on. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, offset + written);
    written += bytesWritten;
  }
}

/** For systems and file systems that do not have unnamed files (NFS, older overlayfs). */
async function openAndUnlink(directory: string): Promise<FileHandle> {
  const path = join(directory, `.spool-${randomBytes(6).toString("hex")}`);
  try {
    const file = await open(path, "wx+", 0o600);
    await unlink(path);
    return file;
  } catch (error) {
    throw unusable(error, directory);
  }
}

function unusable(error: unknown, directory: string): unknown {
  return fileSystemError(error, `make a temporary file in "${directory}"`);
}

function isUnsupported(error: unknown): boolean {
  // ENOTSUP: Linux has two names for this number (EOPNOTSUPP), and Node reports this one.
  return isErrno(error, "ENOTSUP", "EISDIR", "EINVAL", "ENOENT");
}
