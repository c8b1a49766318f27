import { setTimeout as pause } from "node:timers/promises";
import { onAbort } from "../base/abort.ts";
import type { FileBlock, SpoolStorage } from "./spool-storage.ts";

interface SpoolOptions {
  /** The storage that all blobs of an image share. */
  readonly storage: SpoolStorage;
  /** The most bytes of this blob in the shared memory. */
  readonly memoryBytes: number;
  /** Whether readers have to wait until the blob is complete and verified. Default: false. */
  readonly isHeld?: boolean;
}

/** A part of the blob that has not been read yet: a block of the shared memory, or one of the file. */
type Segment = Filled | FileBlock;

/** A block of memory, of which the first `length` bytes are filled. */
interface Filled {
  readonly block: Uint8Array;
  length: number;
}

/** How much is written to the file at a time. */
const fileChunkBytes = 256 * 1024;

/** How long a download pauses before it asks again whether it had better wait. */
const pauseMilliseconds = 10;
/** So many pauses at most for what came at once, because servers end connections of which nobody takes anything. */
const mostPauses = 100;

/**
 * The bytes of one blob between the network and the thread that decompresses.
 *
 * While a blob is being read, its chunks go to the reader as they are, and its download waits for that. Before (when
 * `reading` has not been called yet) its bytes are copied into memory that all such blobs share, and then into an
 * unnamed file, so that the network is used while lower layers are still being applied. Such a download never waits for
 * memory: blobs are read in order, but they arrive in any order. It waits where this process uses most of the machine's
 * processors: what is being read then is what there is no time for, and not what the network has not brought.
 */
export class Spool {
  readonly #options: SpoolOptions;
  readonly #segments: Segment[] = [];
  /** How many bytes are in the shared memory. */
  #memoryBytes = 0;
  /** The chunk behind all segments. Its writer waits until it has been read. */
  #lent: Uint8Array | undefined;
  /** Whether further bytes go into the file, until the blob is being read. */
  #overflows = false;
  /** The blocks of a blob that is kept, in order. */
  readonly #kept: FileBlock[] = [];
  /** What is written to the file next: so many bytes of it. */
  #unwritten: Uint8Array | undefined;
  #unwrittenBytes = 0;
  #isKept = false;
  #isRead = false;
  /** Whether the rest is not going to be read. Bytes that come then are dropped. */
  #isGivenUp = false;
  #state: { readonly done: false } | { readonly done: true; readonly error?: unknown } = { done: false };
  #wake: (() => void)[] = [];

  constructor(options: SpoolOptions) {
    this.#options = options;
  }

  /** Keeps every byte, so that the blob can be read again. It has to be called before the first `write`. */
  keep(): void {
    this.#isKept = true;
  }

  /** Adds bytes. Resolves when these are no longer needed and more may be added. Calls must not overlap. */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#isKept) return this.#writeToFile(chunk);
    this.#throwIfFailed();
    if (this.#isGivenUp) return;
    const rest = this.#isRead ? chunk : await this.#wait(chunk);
    if (rest.length > 0) await this.#lend(rest);
  }

  /** Resolves when the chunk has been read. */
  async #lend(chunk: Uint8Array): Promise<void> {
    await this.#flush();
    this.#lent = chunk;
    this.#notify();
    while (this.#lent !== undefined && !this.#isGivenUp) {
      this.#throwIfFailed();
      await this.#changed();
    }
  }

  /** Forgets all bytes, because they were wrong. Only allowed if readers have to wait for the end. */
  async forget(): Promise<void> {
    await this.#flushing;
    for (const segment of this.#segments.splice(0)) this.#free(segment);
    this.#kept.length = 0;
    this.#memoryBytes = this.#unwrittenBytes = 0;
    this.#overflows = false;
  }

  /** Says that the last byte has come and that the blob has been verified. */
  async end(): Promise<void> {
    await this.#flush();
    this.#finish({ done: true });
  }

  /** Ends the blob: readers get this error. */
  fail(error: unknown): void {
    this.#finish({ done: true, error });
  }

  /**
   * The bytes in order, as they come. A piece is valid until the next one is requested. It can be called once. The
   * signal ends it for the reader alone, also where the blob's end does not come because nobody tells its digest.
   */
  async *reading(signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const listenNoMore = onAbort(signal, () => this.#notify());
    try {
      while (this.#options.isHeld && !this.#state.done) await this.#changed(signal);
      this.#isRead = true;
      this.#notify();
      for (;;) {
        this.#throwIfFailed();
        const segment = this.#isGivenUp ? undefined : this.#segments.shift();
        if (segment !== undefined) {
          yield await this.#bytesOf(segment);
          this.#free(segment);
          this.#notify();
        } else if (this.#unwrittenBytes > 0) await this.#flush();
        else if (this.#lent !== undefined && !this.#isGivenUp) {
          yield this.#lent;
          this.#lent = undefined;
          this.#notify();
        } else if (this.#state.done) return;
        else await this.#changed(signal);
      }
    } finally {
      listenNoMore();
    }
  }

  /** Waits until the blob is complete and verified, and throws what is wrong with it. It cannot be read any more. */
  async proven(): Promise<void> {
    this.#isGivenUp = true;
    this.#notify();
    await this.settled();
  }

  /** The same, while somebody goes on reading. */
  async settled(): Promise<void> {
    while (!this.#state.done) await this.#changed();
    this.#throwIfFailed();
  }

  /** The whole blob again, after `reading` has ended. Only after `keep`. */
  async *rereading(): AsyncGenerator<Uint8Array> {
    for (const extent of this.#kept) yield await this.#options.storage.read(extent);
  }

  /**
   * Stores bytes of a blob that is not being read yet: in the shared memory, or in the file if any of it is already
   * there. Gives the bytes that are not stored, because the blob is being read now.
   */
  async #wait(chunk: Uint8Array): Promise<Uint8Array> {
    let rest = chunk;
    while (rest.length > 0 && !this.#overflows) {
      const filled = this.#isFull ? undefined : this.#blockWithRoom();
      if (filled === undefined) this.#overflows = true;
      else rest = rest.subarray(this.#fill(filled, rest));
    }
    this.#notify();
    if (rest.length === 0) return rest;
    if (!this.#options.isHeld) await this.#whileBetterLeft();
    if (this.#isRead) return rest;
    if (!this.#isGivenUp) await this.#writeToFile(rest);
    return rest.subarray(rest.length);
  }

  /** Ends when the processors have time for the file, or when the blob is being read. */
  async #whileBetterLeft(): Promise<void> {
    for (let pauses = 0; pauses < mostPauses && this.#options.storage.isBetterLeft; pauses += 1) {
      await pause(pauseMilliseconds);
      this.#throwIfFailed();
      if (this.#isRead || this.#isGivenUp) return;
    }
  }

  #blockWithRoom(): Filled | undefined {
    const last = this.#segments.at(-1);
    if (last !== undefined && "block" in last && last.length < last.block.length) return last;
    const block = this.#options.storage.takeMemory();
    if (block === undefined) return undefined;
    const filled = { block, length: 0 };
    this.#segments.push(filled);
    return filled;
  }

  /** Returns how many of the bytes fit. */
  #fill(filled: Filled, bytes: Uint8Array): number {
    const { block, length } = filled;
    const part = bytes.subarray(0, block.length - length);
    block.set(part, length);
    filled.length += part.length;
    this.#memoryBytes += part.length;
    return part.length;
  }

  #bytesOf(segment: Segment): Uint8Array | Promise<Uint8Array> {
    return "block" in segment ? segment.block.subarray(0, segment.length) : this.#options.storage.read(segment);
  }

  /** Gives the memory, or the block of the file, of a segment back. */
  #free(segment: Segment): void {
    const { storage } = this.#options;
    if ("block" in segment) {
      this.#memoryBytes -= segment.length;
      storage.giveBackMemory(segment.block);
    } else if (!this.#isKept) storage.free(segment);
  }

  get #isFull(): boolean {
    return this.#memoryBytes >= this.#options.memoryBytes;
  }

  async #writeToFile(chunk: Uint8Array): Promise<void> {
    for (let rest = chunk; rest.length > 0; ) {
      await this.#flushing;
      this.#unwritten ??= Buffer.allocUnsafeSlow(fileChunkBytes);
      const part = rest.subarray(0, fileChunkBytes - this.#unwrittenBytes);
      this.#unwritten.set(part, this.#unwrittenBytes);
      this.#unwrittenBytes += part.length;
      rest = rest.subarray(part.length);
      if (this.#unwrittenBytes === fileChunkBytes) await this.#flush();
    }
    this.#notify();
  }

  #flushing: Promise<void> = Promise.resolve();

  /** The writer and the reader may call it; writes happen one after the other. */
  #flush(): Promise<void> {
    if (this.#unwrittenBytes === 0) return this.#flushing;
    this.#flushing = this.#flushing.then(() => this.#writeOut());
    return this.#flushing;
  }

  async #writeOut(): Promise<void> {
    const bytes = this.#unwritten?.subarray(0, this.#unwrittenBytes) ?? new Uint8Array(0);
    this.#unwrittenBytes = 0;
    for (const extent of await this.#options.storage.write(bytes)) {
      this.#segments.push(extent);
      if (this.#isKept) this.#kept.push(extent);
    }
    this.#notify();
  }

  #finish(state: { readonly done: true; readonly error?: unknown }): void {
    if (!this.#state.done) this.#state = state;
    this.#unwritten = undefined;
    this.#notify();
  }

  #throwIfFailed(): void {
    if (this.#state.done && "error" in this.#state) throw this.#state.error;
  }

  /** Waits for the next `#notify`. Throws the reason of an abort. */
  async #changed(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await new Promise<void>((resolve) => this.#wake.push(resolve));
    signal?.throwIfAborted();
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
