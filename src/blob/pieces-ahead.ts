import type { Boundary } from "./ahead-decoder.ts";
import type { PieceSizes } from "./ahead-sizes.ts";
import type { AheadThread } from "./ahead-thread.ts";
import type { AheadGiver, ReadAhead } from "./read-ahead.ts";

/*
 * gzip data that are read ahead are cut into pieces. Threads decode them from where a block seems to begin, without knowing
 * what was before. Who decodes in order gives them the history when it takes what they made.
 */

/** A piece that begins where it has to. Bits count from the input's first one. */
export interface AheadPiece {
  readonly end: Boundary;
  readonly endBit: number;
  readonly tail: Uint16Array;
  readonly thread: AheadThread;
}

interface GivenPiece {
  readonly firstByte: number;
  readonly thread: AheadThread;
}

/** Gives pieces of gzip data to threads. Two pieces more than there are threads are read ahead. */
export class PiecesAhead implements AheadGiver {
  readonly #ahead: ReadAhead;
  readonly #sizes: PieceSizes;
  /** The first piece comes from the beginning, where everything is known. */
  #nextToGive = 1;
  readonly #given: GivenPiece[] = [];
  /** How many pieces in a row were decoded in vain. */
  #inVain = 0;

  constructor(ahead: ReadAhead) {
    this.#ahead = ahead;
    this.#sizes = ahead.sizes.pieces;
    ahead.begin(this);
  }

  get wantsMore(): boolean {
    const { filledBytes, readBytes, threads } = this.#ahead;
    const { pieceBytes } = this.#sizes;
    return filledBytes - readBytes < (threads.length + 2) * pieceBytes;
  }

  /**
   * What a thread made of the input from this boundary on, if one has been given the piece. Waits for the thread if it
   * may; otherwise what is not done yet counts as not known.
   */
  pieceAt(boundary: Boundary, wait: boolean): AheadPiece | undefined {
    if (wait) this.#ahead.advance();
    const { bit, kind } = boundary;
    const { pieceBytes } = this.#sizes;
    for (let first = this.#given[0]; first !== undefined; first = this.#given[0]) {
      const firstBit = first.firstByte * 8;
      if (bit < firstBit) return undefined;
      if (bit < firstBit + pieceBytes * 8) {
        const result = first.thread.result(wait);
        if (result === undefined) return undefined;
        if (typeof result === "object") {
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
    this.#ahead.end();
    for (const { thread } of this.#given.splice(0)) thread.reject();
  }

  /**
   * Where nothing can be made of many pieces in a row, only some are tried from then on: so data in which everything looks
   * like a block, or nothing does, costs little.
   */
  #isPassed(number: number): boolean {
    return this.#inVain >= mostInVain && number % mostInVain !== 0;
  }

  /** Gives what is complete. What has been begun to be read in order comes too late. */
  give(): void {
    const { threads, hasEnded, filledBytes, readBytes } = this.#ahead;
    const { pieceBytes, behindBytes } = this.#sizes;
    for (; ; this.#nextToGive += 1) {
      const firstByte = this.#nextToGive * pieceBytes;
      const neededBytes = firstByte + pieceBytes + behindBytes;
      if (hasEnded ? firstByte >= filledBytes : neededBytes > filledBytes) return;
      if (firstByte <= readBytes || this.#isPassed(this.#nextToGive)) continue;
      const thread = threads.find(({ isIdle }) => isIdle);
      if (thread === undefined) return;
      const length = Math.min(pieceBytes, filledBytes - firstByte);
      const end = Math.min(firstByte + length + behindBytes, filledBytes);
      thread.givePiece(this.#ahead.parts(firstByte, end), length * 8);
      this.#given.push({ firstByte, thread });
    }
  }
}

const mostInVain = 8;
