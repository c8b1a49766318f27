import type { FileHandle } from "node:fs/promises";
import { fileSystemError } from "../file-system-error.ts";
import { openTemporaryFile } from "./temporary-file.ts";

export interface SpoolRoomOptions {
  /** Where a temporary file may be made. */
  readonly directory: string;
  /** Bytes in memory for all blobs together whose turn has not come. */
  readonly memoryBytes: number;
}

/** Where a part of a blob is in the file. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

/** How much of the file is given out at a time, and at most written and read. Where less is written, the rest is a hole. */
const blockBytes = 2 * 1024 * 1024;

/**
 * What the spools of one image share, however many layers it has: an amount of memory, and one unnamed file that is made
 * when that is used up. A block of the file that has been read is used again.
 */
export class SpoolRoom implements AsyncDisposable {
  readonly #directory: string;
  #spareBytes: number;
  #file: Promise<FileHandle> | undefined;
  #blocks = 0;
  readonly #freeBlocks: number[] = [];

  constructor({ directory, memoryBytes }: SpoolRoomOptions) {
    this.#directory = directory;
    this.#spareBytes = memoryBytes;
  }

  /** Takes memory, if there is so much. */
  take(bytes: number): boolean {
    if (bytes > this.#spareBytes) return false;
    this.#spareBytes -= bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#spareBytes += bytes;
  }

  /** Writes bytes to wherever there is room in the file, in one piece for each block. */
  async write(bytes: Uint8Array): Promise<readonly Extent[]> {
    const extents: Extent[] = [];
    try {
      this.#file ??= openTemporaryFile(this.#directory);
      const file = await this.#file;
      for (let start = 0; start < bytes.length; start += blockBytes) {
        const piece = bytes.subarray(start, start + blockBytes);
        const extent = { offset: this.#freeBlock() * blockBytes, length: piece.length };
        extents.push(extent);
        await writeAll(file, piece, extent.offset);
      }
    } catch (error) {
      throw fileSystemError(error, `write a temporary file in "${this.#directory}"`);
    }
    return extents;
  }

  /** What was written to an extent. */
  async read({ offset, length }: Extent): Promise<Uint8Array> {
    const file = await this.#file;
    const bytes = Buffer.allocUnsafe(length);
    for (let done = 0; done < length; ) {
      const { bytesRead = 0 } = (await file?.read(bytes, done, length - done, offset + done)) ?? {};
      if (bytesRead === 0) throw new Error("the temporary file of a blob became shorter");
      done += bytesRead;
    }
    return bytes;
  }

  /** Gives an extent's block to whoever writes next. */
  free({ offset }: Extent): void {
    this.#freeBlocks.push(offset / blockBytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const file = await this.#file?.catch(() => undefined);
    this.#file = undefined;
    await file?.close();
  }

  #freeBlock(): number {
    const block = this.#freeBlocks.pop() ?? this.#blocks;
    if (block === this.#blocks) this.#blocks += 1;
    return block;
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, offset + written);
    written += bytesWritten;
  }
}
