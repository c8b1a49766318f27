import type { FileHandle } from "node:fs/promises";
import { fileSystemError } from "../file-system-error.ts";
import { openTemporaryFile } from "./temporary-file.ts";

export interface SpoolOptions {
  /** Where a temporary file may be made. */
  readonly directory: string;
  /** Bytes kept in memory before the file is used. */
  readonly memoryBytes: number;
  /** Whether readers wait until all is there and is what it should be. Default: false. */
  readonly isHeld?: boolean;
}

/** What waits to be read: bytes in memory, or a range of the file. */
type Segment = { readonly chunk: Uint8Array } | { readonly offset: number; readonly length: number };

/** How much is written to, or read from, the file at a time. */
const fileChunkBytes = 1024 * 1024;

/**
 * The bytes of one blob between the network and the thread that decompresses.
 *
 * A blob that is being read waits in memory, and when that is full its download waits too. A blob whose turn has not
 * come (`reading` has not been called) overflows into an unnamed file instead, so that the network is used while lower
 * layers are still being applied. The budget belongs to each blob: one that all shared would deadlock, since blobs are
 * read in order but arrive in any.
 */
export class Spool implements AsyncDisposable {
  readonly #options: SpoolOptions;
  readonly #segments: Segment[] = [];
  #memoryBytes = 0;
  #file: FileHandle | undefined;
  #fileBytes = 0;
  #unwritten: Uint8Array[] = [];
  #unwrittenBytes = 0;
  #isKept = false;
  #isRead = false;
  /** Whether nobody reads on: what comes then is dropped. */
  #isGivenUp = false;
  #state: { readonly done: false } | { readonly done: true; readonly error?: unknown } = { done: false };
  #wake: (() => void)[] = [];

  constructor(options: SpoolOptions) {
    this.#options = options;
  }

  /** Keeps every byte, so that the blob can be read again after the first time. To be said before the first `write`. */
  keep(): void {
    this.#isKept = true;
  }

  /** Adds bytes; resolves when more may come. One call at a time. */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#isKept) return this.#writeToFile(chunk);
    while (this.#isRead && !this.#isGivenUp && this.#memoryBytes > 0 && this.#isFull) {
      this.#throwIfFailed();
      // What is looked at must not change between the look and the wait, so each wait is followed by another look.
      await (this.#unwrittenBytes > 0 ? this.#flush() : this.#changed());
    }
    this.#throwIfFailed();
    if (this.#isGivenUp) return;
    if (this.#isFull) return this.#writeToFile(chunk);
    await this.#flush();
    this.#memoryBytes += chunk.length;
    this.#segments.push({ chunk });
    this.#notify();
  }

  /** Forgets all that was written: it was wrong. Only where readers wait for the end. */
  async forget(): Promise<void> {
    await this.#flushing;
    this.#segments.length = 0;
    this.#unwritten = [];
    this.#memoryBytes = this.#unwrittenBytes = this.#fileBytes = 0;
  }

  /** Says that the last byte came and that the whole is what it should be. */
  async end(): Promise<void> {
    await this.#flush();
    this.#finish({ done: true });
  }

  /** Makes readers fail with `error`. */
  fail(error: unknown): void {
    this.#finish({ done: true, error });
  }

  /** The bytes in order, as they come. Once for each spool. */
  async *reading(): AsyncGenerator<Uint8Array> {
    while (this.#options.isHeld && !this.#state.done) await this.#changed();
    this.#isRead = true;
    this.#notify();
    for (;;) {
      this.#throwIfFailed();
      const segment = this.#isGivenUp ? undefined : this.#segments.shift();
      if (segment === undefined) {
        if (this.#state.done) return;
        if (this.#unwrittenBytes > 0) await this.#flush();
        else await this.#changed();
      } else if ("chunk" in segment) {
        yield segment.chunk;
        this.#memoryBytes -= segment.chunk.length;
        this.#notify();
      } else {
        yield* this.#fileRange(segment.offset, segment.length);
      }
    }
  }

  /** Waits until the blob is whole and known to be right, and throws what is wrong with it; nobody reads on in it. */
  async proven(): Promise<void> {
    this.#isGivenUp = true;
    this.#notify();
    while (!this.#state.done) await this.#changed();
    this.#throwIfFailed();
  }

  /** The whole blob once more, after `reading` came to its end. Only where `keep` was said. */
  rereading(): AsyncGenerator<Uint8Array> {
    return this.#fileRange(0, this.#fileBytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  get #isFull(): boolean {
    return this.#memoryBytes >= this.#options.memoryBytes;
  }

  async #writeToFile(chunk: Uint8Array): Promise<void> {
    this.#unwritten.push(chunk);
    this.#unwrittenBytes += chunk.length;
    if (this.#unwrittenBytes >= fileChunkBytes) await this.#flush();
    else this.#notify();
  }

  #flushing: Promise<void> = Promise.resolve();

  /** Both sides may ask for it; writes happen one after the other. */
  #flush(): Promise<void> {
    if (this.#unwrittenBytes === 0) return this.#flushing;
    this.#flushing = this.#flushing.then(() => this.#writeOut());
    return this.#flushing;
  }

  async #writeOut(): Promise<void> {
    const chunks = this.#unwritten;
    const length = this.#unwrittenBytes;
    if (length === 0) return;
    this.#unwritten = [];
    this.#unwrittenBytes = 0;
    this.#file ??= await openTemporaryFile(this.#options.directory);
    const offset = this.#fileBytes;
    try {
      await writeAll(this.#file, chunks, offset);
    } catch (error) {
      throw fileSystemError(error, `write a temporary file in "${this.#options.directory}"`);
    }
    this.#fileBytes += length;
    this.#segments.push({ offset, length });
    this.#notify();
  }

  async *#fileRange(offset: number, length: number): AsyncGenerator<Uint8Array> {
    const buffer = new Uint8Array(Math.min(fileChunkBytes, length));
    for (let done = 0; done < length; ) {
      const { bytesRead = 0 } =
        (await this.#file?.read(buffer, 0, Math.min(buffer.length, length - done), offset + done)) ?? {};
      if (bytesRead === 0) throw new Error("the temporary file of a blob became shorter");
      yield buffer.subarray(0, bytesRead);
      done += bytesRead;
    }
  }

  #finish(state: { readonly done: true; readonly error?: unknown }): void {
    if (!this.#state.done) this.#state = state;
    this.#notify();
  }

  #throwIfFailed(): void {
    if (this.#state.done && "error" in this.#state) throw this.#state.error;
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

async function writeAll(file: FileHandle, chunks: readonly Uint8Array[], offset: number): Promise<void> {
  const bytes = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
  for (let written = 0; bytes !== undefined && written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, offset + written);
    written += bytesWritten;
  }
}
