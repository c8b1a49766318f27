import { AheadDecoder, type GuessedPiece } from "../../src/blob/ahead-decoder.ts";
import { type AheadThread, type PieceSizes, ReadAhead, type ReadySource } from "../../src/blob/read-ahead.ts";
import type { ByteSource } from "../../src/tar/entry.ts";
import type { Random } from "../model/random.ts";

/*
 * Pieces are decoded ahead as in the product, but all on one thread: chance decides how far the input is there, and
 * which thread is done.
 */

/** How often pieces were taken, and how often not. */
export interface AheadCounts {
  given: number;
  taken: number;
}

const decoders = Array.from({ length: 3 }, () => undefined as AheadDecoder | undefined);

/** Reads ahead from a source, with one to three threads. */
export function readAhead(source: ByteSource, sizes: PieceSizes, random: Random, counts: AheadCounts): ReadAhead {
  const threads = Array.from({ length: 1 + random.below(decoders.length) }, (_, index) => {
    decoders[index] ??= new AheadDecoder();
    return new ThreadOfChance(decoders[index], random, counts);
  });
  const ready: ReadySource = {
    read: () => source.read(),
    get isReady() {
      return random.chance(0.9);
    },
  };
  return new ReadAhead(ready, threads, sizes);
}

class ThreadOfChance implements AheadThread {
  readonly #decoder: AheadDecoder;
  readonly #random: Random;
  readonly #counts: AheadCounts;
  #result: GuessedPiece | "nothing" | undefined;
  #parts: Uint8Array[] = [];

  constructor(decoder: AheadDecoder, random: Random, counts: AheadCounts) {
    this.#decoder = decoder;
    this.#random = random;
    this.#counts = counts;
  }

  get isIdle(): boolean {
    return this.#result === undefined && this.#random.chance(0.95);
  }

  give(parts: readonly Uint8Array[], limit: number): void {
    this.#counts.given += 1;
    const piece = Buffer.concat(parts);
    this.#decoder.piece.set(piece);
    this.#result = this.#decoder.decode(piece.length, limit) ?? "nothing";
  }

  result(wait: boolean): GuessedPiece | "nothing" | undefined {
    return wait || this.#random.chance(0.8) ? this.#result : undefined;
  }

  reject(): void {
    this.#result = undefined;
  }

  accept(history: Uint8Array): void {
    this.#counts.taken += 1;
    this.#parts = this.#decoder.resolve(history).map((part) => Buffer.from(part));
  }

  read(): Uint8Array | undefined {
    const part = this.#parts.shift();
    if (part === undefined) this.#result = undefined;
    return part;
  }
}
