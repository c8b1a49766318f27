import type { FileHandle } from "node:fs/promises";
import { OciUnpackError } from "../../base/errors.ts";
import { fileSystemError } from "../../base/system-error.ts";
import { readBytes } from "./files.ts";

/** A run of bytes in an open file. */
export interface FileRange {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Reads a range in pieces. A file that turns out to be shorter is an error: somebody cut it meanwhile. */
export async function* readRange(
  file: FileHandle,
  { offset, sizeBytes }: FileRange,
  name: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < sizeBytes; ) {
    signal?.throwIfAborted();
    // A new one for each piece, which whoever reads may keep; nothing of what was in that memory is ever given out.
    const buffer = Buffer.allocUnsafeSlow(Math.min(readBytes, sizeBytes - done));
    const length = await readAt(file, buffer, offset + done, name);
    if (length === 0) {
      throw new OciUnpackError("INVALID_ARCHIVE", `cannot read "${name}": it ends ${sizeBytes - done} bytes too early`);
    }
    yield buffer.subarray(0, length);
    done += length;
  }
}

async function readAt(file: FileHandle, buffer: Uint8Array, position: number, name: string): Promise<number> {
  try {
    return (await file.read(buffer, 0, buffer.length, position)).bytesRead;
  } catch (error) {
    throw fileSystemError(error, `read "${name}"`);
  }
}
