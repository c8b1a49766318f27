import type { Stats } from "node:fs";
import { type FileHandle, lstat, open, readdir, stat } from "node:fs/promises";
import { fileSystemError, isErrno } from "./system-error.ts";

/** Opens a file for reading; `undefined` where there is none. */
export function openIfThere(path: string): Promise<FileHandle | undefined> {
  return ifThere(`open "${path}"`, () => open(path, "r"));
}

/** What is at a path, symlinks followed; `undefined` where there is nothing. */
export function statIfThere(path: string): Promise<Stats | undefined> {
  return ifThere(`look at "${path}"`, () => stat(path));
}

/** What is at a path, which may be a symlink itself; `undefined` where there is nothing. */
export function lstatIfThere(path: string): Promise<Stats | undefined> {
  return ifThere(`look at "${path}"`, () => lstat(path));
}

/** The names in a directory; an empty list where there is no directory. */
export async function namesIn(directory: string): Promise<readonly string[]> {
  return (await ifThere(`list "${directory}"`, () => readdir(directory))) ?? [];
}

/** The result of `work`, or `undefined` where the path that it is about does not exist. */
export async function ifThere<T>(attempted: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw fileSystemError(error, attempted);
  }
}
