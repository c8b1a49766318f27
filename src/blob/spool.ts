import type { FileBlock, SpoolStorage } from "./spool-storage.ts";

interface SpoolOptions {
  /** What all blobs of an image share. */
  readonly storage: SpoolStorage;
  /** Bytes of this blob kept in memory before the file is used. */
  readonly memoryBytes: number;
  /** Whether readers wait until all is there and is what it should be. Default: false. */
  readonly isHeld?: boolean;
}

/** What waits to be read: bytes as they came, bytes in a block of the memory that all share, or a part of the file. */
type Segment = { readonly chunk: Uint8Array } | Filled | FileBlock;

/** A block of memory, and how much of it is filled. */
interface Filled {
  readonly block: Uint8Array;
  length: number;
}

/** How much is written to the file at a time. */
const fileChunkBytes = 256 * 1024;

/** What a chunk takes in memory besides its bytes: a server may send them one by one. */
const chunkOverheadBytes = 512;

/**
 * The bytes of one blob between the network and the thread that decompresses.
 *
 * A blob that is being read waits in memory of its own, and when that is full its download waits too. A blob whose turn
 * has not come (`reading` has not been called) waits in memory that all of these share, and overflows into an unnamed
 * file, so that the network is used while lower layers are still being applied. It never waits for memory: blobs are
 * read in order but arrive in any.
 */
export class Spool {
  readonly #options: SpoolOptions;
  readonly #segments: Segment[] = [];
  /** What is in memory. */
  #memoryBytes = 0;
  /** Whether a blob whose turn has not come goes on in the file. */
  #overflows = false;
  /** All of a blob that is kept, in order. */
  readonly #kept: FileBlock[] = [];
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
    if (!this.#isRead) return this.#wait(chunk);
    this.#memoryBytes += costOf(chunk);
    await this.#flush();
    this.#segments.push({ chunk });
    this.#notify();
  }

  /** Forgets all that was written: it was wrong. Only where readers wait for the end. */
  async forget(): Promise<void> {
    await this.#flushing;
    for (const segment of this.#segments.splice(0)) this.#free(segment);
    this.#kept.length = 0;
    this.#unwritten = [];
    this.#memoryBytes = this.#unwrittenBytes = 0;
    this.#overflows = false;
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

  /** The bytes in order, as they come; each piece until the next is asked for. Once for each spool. */
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

  /** Waits until the blob is whole and known to be right, and throws what is wrong with it; nobody reads on in it. */
  async proven(): Promise<void> {
    this.#isGivenUp = true;
    this.#notify();
    while (!this.#state.done) await this.#changed();
    this.#throwIfFailed();
  }

  /** The whole blob once more, after `reading` came to its end. Only where `keep` was said. */
  async *rereading(): AsyncGenerator<Uint8Array> {
    for (const extent of this.#kept) yield await this.#options.storage.read(extent);
  }

  /**
   * Takes what comes before its turn: into the memory that all share, or the file. A blob that is in the file goes on
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

  /** Gives how many of the bytes found room. */
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

  /** Gives back what a segment takes. */
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

  /** Both sides may ask for it; writes happen one after the other. */
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
