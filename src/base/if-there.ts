import type { Stats } from "node:fs";
import { type FileHandle, lstat, open, readdir, stat } from "node:fs/promises";
import { isErrno } from "./error-code.ts";
import { fileSystemError } from "./file-system-error.ts";

/** Opens a file for reading; `undefined` where there is none. */
export function openIfThere(path: string): Promise<FileHandle | undefined> {
  return ifThere(`open "${path}"`, () => open(path, "r"));
}

/** What stands at a path, if anything does. */
export function statIfThere(path: string): Promise<Stats | undefined> {
  return ifThere(`look at "${path}"`, () => stat(path));
}

/** The same without following a symlink. */
export function lstatIfThere(path: string): Promise<Stats | undefined> {
  return ifThere(`look at "${path}"`, () => lstat(path));
}

/** The names in a directory; none where there is no directory. */
export async function namesIn(directory: string): Promise<readonly string[]> {
  return (await ifThere(`list "${directory}"`, () => readdir(directory))) ?? [];
}

/** What a function of Node gives for a path, or nothing where there is nothing at that path. */
export async function ifThere<T>(attempted: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw fileSystemError(error, attempted);
  }
}
