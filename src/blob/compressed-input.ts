import { OciUnpackError } from "../base/errors.ts";
import type { ByteSource } from "../tar/entry.ts";

/**
 * A ByteSource read piecemeal: look at what is there, take as much as was used, byte by byte where a format needs it.
 */
export class CompressedInput {
  readonly #source: ByteSource;
  #chunk: Uint8Array = new Uint8Array(0);
  #takenBytes = 0;
  #hasEnded = false;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** How many bytes have been taken so far. */
  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** What can be had without reading on; reads on when that is nothing. `undefined` at the end. */
  peek(): Uint8Array | undefined {
    if (this.#chunk.length > 0) return this.#chunk;
    const next = this.#read();
    if (next !== undefined) this.#chunk = next;
    return next;
  }

  /** At least `length` bytes in one piece, or all there are. */
  peekAtLeast(length: number): Uint8Array {
    while (this.#chunk.length < length) {
      const rest = Uint8Array.from(this.#chunk);
      const next = this.#read();
      if (next === undefined) {
        this.#chunk = rest;
        break;
      }
      this.#chunk = new Uint8Array(rest.length + next.length);
      this.#chunk.set(rest);
      this.#chunk.set(next, rest.length);
    }
    return this.#chunk;
  }

  /** Goes on after `length` bytes of what `peek` gave: to go back, or beyond it, is a mistake of the program. */
  take(length: number): void {
    if (!(length >= 0 && length <= this.#chunk.length)) {
      throw new RangeError(`cannot take ${length} bytes of input: there are ${this.#chunk.length}`);
    }
    this.#chunk = this.#chunk.subarray(length);
    this.#takenBytes += length;
  }

  /** The next byte. Throws `CORRUPT_LAYER` at the end. */
  byte(): number {
    const byte = this.peek()?.[0];
    if (byte === undefined)
      throw new OciUnpackError("CORRUPT_LAYER", "cannot decompress: the compressed data ends too early");
    this.take(1);
    return byte;
  }

  /** Asks the source for its end once only: what a ring gives after that belongs to the next layer. */
  #read(): Uint8Array | undefined {
    if (this.#hasEnded) return undefined;
    const next = this.#source.read();
    this.#hasEnded = next === undefined;
    return next;
  }
}
