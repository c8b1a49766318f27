import type { ByteSource } from "../tar/entry.ts";
import type { Boundary, GuessedPiece } from "./ahead-decoder.ts";
import { copyBytes } from "./decompressed-output.ts";

/*
 * The input of a large gzip layer is read ahead, as far as it is there without waiting, and cut into pieces. Other
 * threads decode pieces from where a block seems to begin in them, without knowing what was before. Whoever decodes in
 * order takes what they made of a piece only if it begins exactly where it has come to, and gives them the history then.
 * So a wrong guess costs time, and no byte.
 */

/** Bytes from elsewhere, of which it can be asked whether the next ones are there. */
export interface ReadySource extends ByteSource {
  /** Whether `read` returns without waiting. */
  readonly isReady: boolean;
}

/** A thread that decodes pieces, as the thread sees it that decodes in order. */
export interface AheadThread {
  /** Whether it can be given a piece. */
  readonly isIdle: boolean;
  /** Gives it a piece, which lies in these parts. It is to begin before bit `limit`. */
  give(parts: readonly Uint8Array[], limit: number): void;
  /** What it made of the piece; "nothing" if no block was found. `undefined` if it is not done yet: never if it may wait. */
  result(wait: boolean): GuessedPiece | "nothing" | undefined;
  /** Says that its piece is not taken. */
  reject(): void;
  /** Says that its piece is taken, after these 32 KiB of history. */
  accept(history: Uint8Array): void;
  /** The next bytes of the piece that was taken, in order; `undefined` at its end. After that the thread is idle. */
  read(): Uint8Array | undefined;
}

/** A piece that begins where it has to. Bits count from the input's first one. */
export interface AheadPiece {
  readonly end: Boundary;
  readonly endBit: number;
  readonly tail: Uint16Array;
  readonly thread: AheadThread;
}

/** How much of the input a piece is, and how much behind it goes with it, since its last block ends there. */
export interface PieceSizes {
  readonly pieceBytes: number;
  readonly behindBytes: number;
}

/** A MiB takes a thread 5 to 8 ms. */
export const usualPieces: PieceSizes = { pieceBytes: 1024 * 1024, behindBytes: 256 * 1024 };

/** Whether reading a layer ahead is worth it, which takes threads. */
export function isWorthReadingAhead(compressedBytes: number): boolean {
  return compressedBytes >= 32 * 1024 * 1024;
}

interface GivenPiece {
  readonly firstByte: number;
  readonly thread: AheadThread;
}

/** Reads ahead and gives the pieces to threads. Its memory is that of two pieces more than there are threads. */
export class ReadAhead implements ByteSource {
  readonly #source: ReadySource;
  readonly #threads: readonly AheadThread[];
  readonly #sizes: PieceSizes;
  /** The pieces from number `#firstPiece` on. */
  readonly #pieces: Uint8Array[] = [];
  #firstPiece = 0;
  readonly #spare: Uint8Array[] = [];
  /** How many bytes have been read from the source, and from here. */
  #filledBytes = 0;
  #readBytes = 0;
  #hasEnded = false;
  /** The first piece comes from the beginning, where everything is known. */
  #nextToGive = 1;
  readonly #given: GivenPiece[] = [];
  /** How many pieces in a row were decoded in vain. */
  #inVain = 0;

  constructor(source: ReadySource, threads: readonly AheadThread[], sizes: PieceSizes = usualPieces) {
    this.#source = source;
    this.#threads = threads;
    this.#sizes = sizes;
  }

  read(): Uint8Array | undefined {
    this.#forget();
    while (!this.#hasEnded && this.#hasSpace() && this.#source.isReady) this.#fill();
    while (!this.#hasEnded && this.#filledBytes === this.#readBytes) this.#fill();
    this.#give();
    const { pieceBytes } = this.#sizes;
    const start = this.#readBytes % pieceBytes;
    const length = Math.min(this.#filledBytes - this.#readBytes, pieceBytes - start, mostRead);
    if (length === 0) return undefined;
    this.#readBytes += length;
    return this.#pieces[0]?.subarray(start, start + length);
  }

  /**
   * What a thread made of the input from this boundary on, if one has been given the piece. Waits for the thread if it
   * may; otherwise what is not done yet counts as not known.
   */
  pieceAt(boundary: Boundary, wait: boolean): AheadPiece | undefined {
    const { bit, kind } = boundary;
    const { pieceBytes } = this.#sizes;
    for (let first = this.#given[0]; first !== undefined; first = this.#given[0]) {
      const firstBit = first.firstByte * 8;
      if (bit < firstBit) return undefined;
      if (bit < firstBit + pieceBytes * 8) {
        const result = first.thread.result(wait);
        if (result === undefined) return undefined;
        if (result !== "nothing") {
          const { start, end, endBit, tail } = result;
          if (firstBit + start.bit > bit) return undefined;
          if (firstBit + start.bit === bit && start.kind === kind) {
            this.#given.shift();
            this.#inVain = 0;
            const later = { kind: end.kind, bit: firstBit + end.bit };
            return { end: later, endBit: firstBit + endBit, tail, thread: first.thread };
          }
        }
      }
      first.thread.reject();
      this.#given.shift();
      this.#inVain += 1;
    }
    return undefined;
  }

  /** Says that no piece will be asked for any more. */
  close(): void {
    for (const { thread } of this.#given.splice(0)) thread.reject();
    this.#nextToGive = Number.POSITIVE_INFINITY;
  }

  #hasSpace(): boolean {
    return this.#filledBytes - this.#firstPiece * this.#sizes.pieceBytes < this.#mostPieces * this.#sizes.pieceBytes;
  }

  get #mostPieces(): number {
    return this.#threads.length + 2;
  }

  /** Copies what the source has next. */
  #fill(): void {
    const next = this.#source.read();
    if (next === undefined) this.#hasEnded = true;
    const { pieceBytes } = this.#sizes;
    for (let rest = next ?? nothing; rest.length > 0; ) {
      const index = Math.floor(this.#filledBytes / pieceBytes) - this.#firstPiece;
      this.#pieces[index] ??= this.#spare.pop() ?? new Uint8Array(pieceBytes);
      const start = this.#filledBytes % pieceBytes;
      const length = Math.min(rest.length, pieceBytes - start);
      copyBytes(rest.subarray(0, length), this.#pieces[index].subarray(start));
      this.#filledBytes += length;
      rest = rest.subarray(length);
    }
  }

  /** What was read last has been used by now. */
  #forget(): void {
    while (this.#readBytes >= (this.#firstPiece + 1) * this.#sizes.pieceBytes) {
      const forgotten = this.#pieces.shift();
      if (forgotten !== undefined) this.#spare.push(forgotten);
      this.#firstPiece += 1;
    }
  }

  /**
   * Where nothing can be made of many pieces in a row, only some are tried from then on: so data in which everything looks
   * like a block, or nothing does, costs little.
   */
  #isPassed(number: number): boolean {
    return this.#inVain >= mostInVain && number % mostInVain !== 0;
  }

  /** Gives what is complete to threads that have nothing to do. What has been begun here comes too late. */
  #give(): void {
    const { pieceBytes, behindBytes } = this.#sizes;
    for (; ; this.#nextToGive += 1) {
      const firstByte = this.#nextToGive * pieceBytes;
      const neededBytes = firstByte + pieceBytes + behindBytes;
      if (this.#hasEnded ? firstByte >= this.#filledBytes : neededBytes > this.#filledBytes) return;
      if (firstByte <= this.#readBytes || this.#isPassed(this.#nextToGive)) continue;
      const thread = this.#threads.find(({ isIdle }) => isIdle);
      if (thread === undefined) return;
      const index = this.#nextToGive - this.#firstPiece;
      const length = Math.min(pieceBytes, this.#filledBytes - firstByte);
      const behind = Math.min(behindBytes, this.#filledBytes - firstByte - length);
      const parts = [this.#pieces[index]?.subarray(0, length), this.#pieces[index + 1]?.subarray(0, behind)];
      thread.give(
        parts.filter((part) => part !== undefined),
        length * 8,
      );
      this.#given.push({ firstByte, thread });
    }
  }
}

const mostInVain = 8;

/** Little at a time, so that more is read ahead in between. */
const mostRead = 128 * 1024;

const nothing = new Uint8Array(0);
