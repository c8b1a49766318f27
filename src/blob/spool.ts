import type { FileBlock, SpoolStorage } from "./spool-storage.ts";

interface SpoolOptions {
  /** The storage that all blobs of an image share. */
  readonly storage: SpoolStorage;
  /** The most bytes of this blob in memory. */
  readonly memoryBytes: number;
  /** Whether readers have to wait until the blob is complete and verified. Default: false. */
  readonly isHeld?: boolean;
}

/**
 * A part of the blob that has not been read yet: a chunk as it came, a block of the shared memory, or one of the file.
 */
type Segment = { readonly chunk: Uint8Array } | Filled | FileBlock;

/** A block of memory, of which the first `length` bytes are filled. */
interface Filled {
  readonly block: Uint8Array;
  length: number;
}

/** How much is written to the file at a time. */
const fileChunkBytes = 256 * 1024;

/** How much memory a chunk takes besides its bytes. It matters when a server sends single bytes. */
const chunkOverheadBytes = 512;

/**
 * The bytes of one blob between the network and the thread that decompresses.
 *
 * While a blob is being read, its bytes are in memory of its own, and its download waits when that is full. Before
 * (when `reading` has not been called yet) they are in memory that all such blobs share, and then in an unnamed file,
 * so that the network is used while lower layers are still being applied. Such a download never waits for memory: blobs
 * are read in order, but they arrive in any order.
 */
export class Spool {
  readonly #options: SpoolOptions;
  readonly #segments: Segment[] = [];
  /** How many bytes are in memory. */
  #memoryBytes = 0;
  /** Whether further bytes go into the file, until the blob is being read. */
  #overflows = false;
  /** The blocks of a blob that is kept, in order. */
  readonly #kept: FileBlock[] = [];
  #unwritten: Uint8Array[] = [];
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

  /** Adds bytes. Resolves when more may be added. Calls must not overlap. */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#isKept) return this.#writeToFile(chunk);
    while (this.#isRead && !this.#isGivenUp && this.#memoryBytes > 0 && this.#isFull) {
      this.#throwIfFailed();
      // Things may change while this waits, so the condition is checked again after each wait.
      await (this.#unwrittenBytes > 0 ? this.#flush() : this.#changed());
    }
    this.#throwIfFailed();
    if (this.#isGivenUp) return;
    if (!this.#isRead) return this.#wait(chunk);
    this.#memoryBytes += costOf(chunk);
    await this.#flush();
    this.#segments.push({ chunk });
    this.#notify();
  }

  /** Forgets all bytes, because they were wrong. Only allowed if readers have to wait for the end. */
  async forget(): Promise<void> {
    await this.#flushing;
    for (const segment of this.#segments.splice(0)) this.#free(segment);
    this.#kept.length = 0;
    this.#unwritten = [];
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

  /** The bytes in order, as they come. A piece is valid until the next one is requested. It can be called once. */
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
      } else {
        yield await this.#bytesOf(segment);
        this.#free(segment);
        this.#notify();
      }
    }
  }

  /** Waits until the blob is complete and verified, and throws what is wrong with it. It cannot be read any more. */
  async proven(): Promise<void> {
    this.#isGivenUp = true;
    this.#notify();
    while (!this.#state.done) await this.#changed();
    this.#throwIfFailed();
  }

  /** The whole blob again, after `reading` has ended. Only after `keep`. */
  async *rereading(): AsyncGenerator<Uint8Array> {
    for (const extent of this.#kept) yield await this.#options.storage.read(extent);
  }

  /**
   * Stores bytes of a blob that is not being read yet: in the shared memory, or in the file if any of it is already
   * there.
   */
  async #wait(chunk: Uint8Array): Promise<void> {
    let rest = chunk;
    while (rest.length > 0 && !this.#overflows) {
      const filled = this.#isFull ? undefined : this.#blockWithRoom();
      if (filled === undefined) this.#overflows = true;
      else rest = rest.subarray(this.#fill(filled, rest));
    }
    if (rest.length > 0) await this.#writeToFile(rest);
    else this.#notify();
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
    if ("chunk" in segment) return segment.chunk;
    return "block" in segment ? segment.block.subarray(0, segment.length) : this.#options.storage.read(segment);
  }

  /** Gives the memory, or the block of the file, of a segment back. */
  #free(segment: Segment): void {
    const { storage } = this.#options;
    if ("chunk" in segment) this.#memoryBytes -= costOf(segment.chunk);
    else if ("block" in segment) {
      this.#memoryBytes -= segment.length;
      storage.giveBackMemory(segment.block);
    } else if (!this.#isKept) storage.free(segment);
  }

  get #isFull(): boolean {
    return this.#memoryBytes >= this.#options.memoryBytes;
  }

  async #writeToFile(chunk: Uint8Array): Promise<void> {
    this.#unwritten.push(chunk);
    this.#unwrittenBytes += chunk.length;
    if (this.#unwrittenBytes + this.#unwritten.length * chunkOverheadBytes >= fileChunkBytes) await this.#flush();
    else this.#notify();
  }

  #flushing: Promise<void> = Promise.resolve();

  /** The writer and the reader may call it; writes happen one after the other. */
  #flush(): Promise<void> {
    if (this.#unwrittenBytes === 0) return this.#flushing;
    this.#flushing = this.#flushing.then(() => this.#writeOut());
    return this.#flushing;
  }

  async #writeOut(): Promise<void> {
    const chunks = this.#unwritten;
    if (chunks.length === 0) return;
    const [only, ...others] = chunks;
    const bytes = only !== undefined && others.length === 0 ? only : Buffer.concat(chunks, this.#unwrittenBytes);
    this.#unwritten = [];
    this.#unwrittenBytes = 0;
    for (const extent of await this.#options.storage.write(bytes)) {
      this.#segments.push(extent);
      if (this.#isKept) this.#kept.push(extent);
    }
    this.#notify();
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

function costOf(chunk: Uint8Array): number {
  return chunk.length + chunkOverheadBytes;
}
