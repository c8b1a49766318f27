import type { ByteSource } from "../tar/entry.ts";
import { type AheadSizes, usualSizes } from "./ahead-sizes.ts";
import type { AheadThread } from "./ahead-thread.ts";
import { copyBytes } from "./decompressed-output.ts";

/*
 * The input of a large layer is read ahead, as far as it is there without waiting. What becomes of it is decided when the
 * layer's compression is known: pieces of gzip data and frames of zstd data are decoded by other threads. Whoever decodes
 * in order takes what they made only where it begins exactly where it has come to. So a wrong guess costs time, and no byte.
 */

/** Bytes from elsewhere, of which it can be asked whether the next ones are there. */
export interface ReadySource extends ByteSource {
  /** Whether `read` returns without waiting. */
  readonly isReady: boolean;
}

/** Gives what has been read ahead to threads. */
export interface AheadGiver {
  /** Whether more is to be read ahead. */
  readonly wantsMore: boolean;
  /** Gives what is complete to threads that have nothing to do. Called whenever more has been read. */
  give(): void;
}

/** Whether reading a layer ahead is worth it, which takes threads. */
export function isWorthReadingAhead(compressedBytes: number): boolean {
  return compressedBytes >= 32 * 1024 * 1024;
}

/** Reads ahead for a giver. Its memory is what the giver wants read ahead, and two blocks more. */
export class ReadAhead implements ByteSource {
  readonly threads: readonly AheadThread[];
  readonly sizes: AheadSizes;
  readonly #source: ReadySource;
  readonly #blockBytes: number;
  /** The blocks from number `#firstBlock` on. */
  readonly #blocks: Uint8Array[] = [];
  #firstBlock = 0;
  readonly #spare: Uint8Array[] = [];
  #filledBytes = 0;
  #readBytes = 0;
  #hasEnded = false;
  #giver: AheadGiver | undefined;

  constructor(source: ReadySource, threads: readonly AheadThread[], sizes = usualSizes) {
    this.#source = source;
    this.threads = threads;
    this.sizes = sizes;
    this.#blockBytes = sizes.blockBytes;
  }

  /** How many bytes have been read from the source. */
  get filledBytes(): number {
    return this.#filledBytes;
  }

  /** How many bytes have been read from here. What has been begun here comes too late for a thread. */
  get readBytes(): number {
    return this.#readBytes;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Begins to read ahead. */
  begin(giver: AheadGiver): void {
    this.#giver = giver;
    this.advance();
  }

  /** Reads no further ahead. */
  end(): void {
    this.#giver = undefined;
  }

  read(): Uint8Array | undefined {
    this.#forget();
    this.advance();
    while (!this.#hasEnded && this.#filledBytes === this.#readBytes) this.#fill();
    const start = this.#readBytes % this.#blockBytes;
    const length = Math.min(this.#filledBytes - this.#readBytes, this.#blockBytes - start, mostRead);
    if (length === 0) return undefined;
    this.#readBytes += length;
    return this.#blocks[0]?.subarray(start, start + length);
  }

  /** Reads ahead what is there without waiting, and gives it to threads: before the one that decodes in order waits. */
  advance(): void {
    this.#giver?.give();
    while (this.#giver?.wantsMore && !this.#hasEnded && this.#source.isReady) this.#fill();
  }

  /** What has been read ahead between two places, of which the first has not been read from here. */
  parts(start: number, end: number): readonly Uint8Array[] {
    const parts: Uint8Array[] = [];
    for (let at = start; at < end; ) {
      const block = this.#blocks[Math.floor(at / this.#blockBytes) - this.#firstBlock];
      const inBlock = at % this.#blockBytes;
      const length = Math.min(end - at, this.#blockBytes - inBlock);
      if (block !== undefined) parts.push(block.subarray(inBlock, inBlock + length));
      at += length;
    }
    return parts;
  }

  /** Copies what the source has next. */
  #fill(): void {
    const next = this.#source.read();
    if (next === undefined) this.#hasEnded = true;
    for (let rest = next ?? nothing; rest.length > 0; ) {
      const index = Math.floor(this.#filledBytes / this.#blockBytes) - this.#firstBlock;
      this.#blocks[index] ??= this.#spare.pop() ?? new Uint8Array(this.#blockBytes);
      const start = this.#filledBytes % this.#blockBytes;
      const length = Math.min(rest.length, this.#blockBytes - start);
      copyBytes(rest.subarray(0, length), this.#blocks[index].subarray(start));
      this.#filledBytes += length;
      rest = rest.subarray(length);
    }
    this.#giver?.give();
  }

  /** What was read last has been used by now. */
  #forget(): void {
    while (this.#readBytes >= (this.#firstBlock + 1) * this.#blockBytes) {
      const forgotten = this.#blocks.shift();
      if (forgotten !== undefined) this.#spare.push(forgotten);
      this.#firstBlock += 1;
    }
  }
}

/** Little at a time, so that more is read ahead in between. */
const mostRead = 128 * 1024;

const nothing = new Uint8Array(0);
