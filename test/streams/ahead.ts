import { AheadDecoder } from "../../src/blob/ahead-decoder.ts";
import type { AheadSizes } from "../../src/blob/ahead-sizes.ts";
import type { AheadThread, MadeAhead } from "../../src/blob/ahead-thread.ts";
import { FramesDecoder } from "../../src/blob/frames-decoder.ts";
import { ReadAhead, type ReadySource } from "../../src/blob/read-ahead.ts";
import type { ByteSource } from "../../src/tar/entry.ts";
import type { Random } from "../model/random.ts";

/*
 * Parts are decoded ahead as in the product, but all on one thread: chance decides how far the input is there, and
 * which thread is done.
 */

/** How often pieces and batches were taken, and how often not. */
export interface AheadCounts {
  given: number;
  taken: number;
}

interface Decoders {
  readonly pieces: AheadDecoder;
  readonly frames: FramesDecoder;
}

const decoders = Array.from({ length: 3 }, () => undefined as Decoders | undefined);

/** Sizes for short streams, so that boundaries fall everywhere. */
export function randomSizes(random: Random): AheadSizes {
  const pieceBytes = random.oneOf([300, 1000, 3000, 10_000, 40_000]);
  const inputBytes = random.oneOf([300, 1000, 10_000, 200_000]);
  const outputBytes = random.oneOf([1000, 50_000, 400_000]);
  return {
    blockBytes: random.oneOf([1024, 3000, 20_000]),
    pieces: { pieceBytes, behindBytes: random.oneOf([0, pieceBytes >> 2, pieceBytes]) },
    batches: {
      usual: { inputBytes, outputBytes },
      most: { inputBytes: inputBytes * random.oneOf([1, 4]), outputBytes: outputBytes * random.oneOf([1, 4]) },
    },
  };
}

/** Reads ahead from a source, with one to three threads. */
export function readAhead(source: ByteSource, sizes: AheadSizes, random: Random, counts: AheadCounts): ReadAhead {
  const threads = Array.from({ length: 1 + random.below(decoders.length) }, (_, index) => {
    decoders[index] ??= { pieces: new AheadDecoder(), frames: new FramesDecoder() };
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
  readonly #decoders: Decoders;
  readonly #random: Random;
  readonly #counts: AheadCounts;
  #result: MadeAhead | undefined;
  #parts: Uint8Array[] = [];

  constructor(decoders: Decoders, random: Random, counts: AheadCounts) {
    this.#decoders = decoders;
    this.#random = random;
    this.#counts = counts;
  }

  get isIdle(): boolean {
    return this.#result === undefined && this.#random.chance(0.95);
  }

  givePiece(parts: readonly Uint8Array[], limit: number): void {
    this.#counts.given += 1;
    const piece = Buffer.concat(parts);
    this.#decoders.pieces.piece.set(piece);
    this.#result = this.#decoders.pieces.decode(piece.length, limit) ?? "nothing";
  }

  giveFrames(parts: readonly Uint8Array[], mostBytes: number): void {
    this.#counts.given += 1;
    const made = this.#decoders.frames.decode(Buffer.concat(parts), mostBytes);
    this.#result = made === undefined ? "nothing" : "frames";
    this.#parts = made === undefined ? [] : [Buffer.from(made)];
  }

  result(wait: boolean): MadeAhead | undefined {
    return wait || this.#random.chance(0.8) ? this.#result : undefined;
  }

  reject(): void {
    this.#result = undefined;
  }

  accept(history?: Uint8Array): void {
    this.#counts.taken += 1;
    if (history === undefined) return;
    this.#parts = this.#decoders.pieces.resolve(history).map((part) => Buffer.from(part));
  }

  read(): Uint8Array | undefined {
    const part = this.#parts.shift();
    if (part === undefined) this.#result = undefined;
    return part;
  }
}
