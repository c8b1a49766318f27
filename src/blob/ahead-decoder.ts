import { aheadModule } from "./ahead-module.ts";
import { copyBytes } from "./decompressed-output.ts";
import { instantiated } from "./web-assembly.ts";

/** How far back a match may reach (RFC 1951, section 2). */
export const historyBytes = 32 * 1024;

/** What can begin at a boundary: what a search finds, and what it does not. */
export const boundaryKinds = ["dynamic", "stored", "other", "end"] as const;

export type BoundaryKind = (typeof boundaryKinds)[number];

/**
 * A place between two blocks: a bit, and what begins there. Where a stored block begins, the bit is where its length
 * lies, because the search cannot tell how many bits are before it. "end" is the end of the deflate data.
 */
export interface Boundary {
  readonly bit: number;
  readonly kind: BoundaryKind;
}

/** The bit of the boundary at `bit` where the next bits are `header`; see `Boundary`. RFC 1951, section 3.2.3. */
export function boundaryAt(bit: number, header: number): Boundary {
  if ((header & 7) === 4) return { bit, kind: "dynamic" };
  if ((header & 7) === 0) return { bit: Math.ceil((bit + 3) / 8) * 8, kind: "stored" };
  return { bit, kind: "other" };
}

/** What came out of a piece of the input whose history is not known. Bits count from the piece's first one. */
export interface GuessedPiece {
  readonly start: Boundary;
  readonly end: Boundary;
  /** The exact end: that of a stored block's `Boundary` lies behind it. */
  readonly endBit: number;
  /**
   * The last 32 KiB of what came out, or all of it: bytes, or from `marker` on, which byte of the history a number stands
   * for. Valid until the next piece is decoded.
   */
  readonly tail: Uint16Array;
}

export const marker = 0x8000;

/** The exports of the module that is compiled from `inflate/`; `inflate/ahead.ts` documents them. */
interface AheadExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly pieceAddress: { readonly value: number };
  readonly pieceBytes: { readonly value: number };
  readonly historyAddress: { readonly value: number };
  readonly resultAddress: { readonly value: number };
  readonly startBit: { readonly value: number };
  readonly startKind: { readonly value: number };
  readonly endBit: { readonly value: number };
  readonly endKind: { readonly value: number };
  readonly symbolCount: { readonly value: number };
  readonly byteCount: { readonly value: number };
  readonly attempts: { readonly value: number };
  decode(length: number, limit: number): number;
  resolve(): void;
}

/** Decodes pieces of deflate data from somewhere in the middle: from where a block seems to begin. */
export class AheadDecoder {
  readonly #module = instantiated(aheadModule) as AheadExports;
  readonly #memory = new Uint8Array(this.#module.memory.buffer);
  readonly #lastTail = new Uint16Array(historyBytes);

  /** The memory for a piece. */
  get piece(): Uint8Array {
    const start = this.#module.pieceAddress.value;
    return this.#memory.subarray(start, start + this.#module.pieceBytes.value);
  }

  /**
   * Decodes the first `length` bytes of `piece`: from the first block that begins before bit `limit` on, to the first
   * that begins behind it, or as far as there are input and memory. `undefined` if there is none.
   */
  decode(length: number, limit: number): GuessedPiece | undefined {
    const module = this.#module;
    if (module.decode(length, limit) === 0) return undefined;
    const start = { bit: module.startBit.value, kind: boundaryKinds[module.startKind.value] ?? "other" };
    const endBit = module.endBit.value;
    const kind = boundaryKinds[module.endKind.value] ?? "other";
    const end = kind === "stored" ? boundaryAt(endBit, 0) : { bit: endBit, kind };
    return { start, end, endBit, tail: this.#tail() };
  }

  /** How many bytes came out of the piece that was decoded last. */
  get outputBytes(): number {
    return this.#module.symbolCount.value + this.#module.byteCount.value;
  }

  /** How often the data of that piece were taken for a block. */
  get attempts(): number {
    return this.#module.attempts.value;
  }

  /** The bytes that the piece stands for after these 32 KiB of history, in two parts. They are valid until it decodes. */
  resolve(history: Uint8Array): readonly Uint8Array[] {
    const { historyAddress, resultAddress, symbolCount, byteCount } = this.#module;
    copyBytes(history, this.#memory.subarray(historyAddress.value));
    this.#module.resolve();
    const bytes = resultAddress.value + 2 * symbolCount.value;
    return [
      this.#memory.subarray(resultAddress.value, resultAddress.value + symbolCount.value),
      this.#memory.subarray(bytes, bytes + byteCount.value),
    ];
  }

  #tail(): Uint16Array {
    const { resultAddress, symbolCount, byteCount } = this.#module;
    const symbols = new Uint16Array(this.#memory.buffer, resultAddress.value, symbolCount.value);
    const start = resultAddress.value + 2 * symbolCount.value;
    const bytes = this.#memory.subarray(start, start + byteCount.value).subarray(-historyBytes);
    const last = symbols.subarray(symbols.length - Math.min(symbols.length, historyBytes - bytes.length));
    const tail = this.#lastTail.subarray(0, last.length + bytes.length);
    tail.set(last);
    tail.set(bytes, last.length);
    return tail;
  }
}

/** Puts the 32 KiB of history after a piece into `after`, given those before it. */
export function writeHistoryAfter(history: Uint8Array, tail: Uint16Array, after: Uint8Array): void {
  after.set(history.subarray(tail.length));
  const start = historyBytes - tail.length;
  for (let index = 0; index < tail.length; index += 1) {
    const symbol = tail[index] ?? 0;
    after[start + index] = symbol < marker ? symbol : (history[symbol - marker] ?? 0);
  }
}
