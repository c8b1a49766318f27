import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { OciUnpackError } from "../../errors.ts";
import { fileSystemError } from "../../file-system-error.ts";
import { readRange } from "./file-range.ts";
import type { Files, StoredFile } from "./files.ts";

/** The files beneath a directory. */
export class DirectoryFiles implements Files {
  readonly name: string;

  constructor(directory: string) {
    this.name = directory;
  }

  async open(name: string): Promise<StoredFile | undefined> {
    const path = join(this.name, name);
    const sizeBytes = await sizeOf(path);
    if (sizeBytes === undefined) return undefined;
    return { sizeBytes, read: (signal) => readFile(path, sizeBytes, signal) };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
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

async function* readFile(path: string, sizeBytes: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const file = await openFile(path);
  if (file === undefined) throw new OciUnpackError("NOT_FOUND", `cannot read "${path}": it is gone`);
  try {
    yield* readRange(file, { offset: 0, sizeBytes }, path, signal);
  } finally {
    await file.close();
  }
}

async function openFile(path: string): Promise<FileHandle | undefined> {
  try {
    // Not waiting for somebody to open the other end of what is no file at all.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return undefined;
    throw fileSystemError(error, `read "${path}"`);
  }
}
