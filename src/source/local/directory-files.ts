import { constants } from "node:fs";
import { type FileHandle, open, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { OciUnpackError } from "../../base/errors.ts";
import { ifThere } from "../../base/if-there.ts";
import { type FileRange, type ImageFiles, readRange, type StoredFile } from "./image-files.ts";

/**
 * The files beneath a directory.
 *
 * The directory may be from a stranger: a symlink that leads out of it is not followed, because it could lead to any
 * file of this machine.
 */
export class DirectoryFiles implements ImageFiles {
  readonly name: string;

  constructor(directory: string) {
    this.name = directory;
  }

  async open(name: string): Promise<StoredFile | undefined> {
    const path = await this.#realPathOf(name);
    if (path === undefined) return undefined;
    const sizeBytes = await sizeOf(path);
    if (sizeBytes === undefined) return undefined;
    return { sizeBytes, read: (signal, range = { offset: 0, sizeBytes }) => readFile(path, range, signal) };
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** The path of a file with all symlinks followed; `undefined` if there is none. */
  async #realPathOf(name: string): Promise<string | undefined> {
    const path = join(this.name, name);
    const realPath = await ifThere(`read "${path}"`, () => realpath(path));
    const directory = await ifThere(`read "${this.name}"`, () => realpath(this.name));
    if (directory === undefined) {
      throw new OciUnpackError("NOT_FOUND", `cannot find an image in "${this.name}": there is no such directory`, {
        hint: "check the path, and the directory that it is relative to",
      });
    }
    if (realPath === undefined) return undefined;
    if (realPath.startsWith(join(directory, sep))) return realPath;
    throw new OciUnpackError("INVALID_ARCHIVE", `cannot read "${path}": a symlink there leads out of "${this.name}"`, {
      hint: "if you trust it, copy the directory with its links followed: cp -rL",
    });
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  const file = await openFile(path);
  if (file === undefined) return undefined;
  try {
    const status = await file.stat();
    if (!status.isFile()) throw new OciUnpackError("INVALID_ARCHIVE", `cannot read "${path}": it is not a file`);
    return status.size;
  } finally {
    await file.close();
  }
}

async function* readFile(path: string, range: FileRange, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const file = await openFile(path);
  if (file === undefined) throw new OciUnpackError("NOT_FOUND", `cannot read "${path}": it has been removed`);
  try {
    yield* readRange(file, range, path, signal);
  } finally {
    await file.close();
  }
}

function openFile(path: string): Promise<FileHandle | undefined> {
  // O_NONBLOCK: opening a fifo does not wait. O_NOFOLLOW: a symlink that was put there meanwhile is not followed.
  return ifThere(`read "${path}"`, () => open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW));
}
