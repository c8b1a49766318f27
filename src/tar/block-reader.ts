import { limitExceeded as exceeded, OciUnpackError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import type { ByteSource } from "./entry.ts";

/** Every header, body and marker of an archive begins at a multiple of this many bytes. */
export const BLOCK = 512;

const nothing = new Uint8Array(0);

/** Takes a source apart into the pieces that an archive consists of, however the source cut it, and counts. */
export class BlockReader {
  readonly #source: ByteSource;
  #chunk: Uint8Array = nothing;
  /** How much of the chunk is used up. */
  #used = 0;
  /** Where the chunk begins in the archive. */
  #chunkStart = 0;
  /** Whether the source has said so: it is not asked again, for what it gave then could be the next archive. */
  #hasEnded = false;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** How many bytes of the archive are used up. */
  get offset(): number {
    return this.#chunkStart + this.#used;
  }

  /** Up to `most` bytes as they lie in the source's memory, valid until the next call; `undefined` at the end. */
  piece(most: number): Uint8Array | undefined {
    if (this.#used === this.#chunk.length && !this.#advance()) return undefined;
    const start = this.#used;
    const end = Math.min(start + most, this.#chunk.length);
    this.#used = end;
    return end - start === this.#chunk.length ? this.#chunk : this.#chunk.subarray(start, end);
  }

  /** Copies the next bytes into `target` and says how many: fewer than it holds only where the archive ends. */
  fill(target: Uint8Array): number {
    let filled = 0;
    while (filled < target.length) {
      const piece = this.piece(target.length - filled);
      if (piece === undefined) break;
      target.set(piece, filled);
      filled += piece.length;
    }
    return filled;
  }

  /** Passes over `count` bytes and says how many there were. */
  skip(count: number): number {
    let rest = count - this.#use(count);
    if (rest > 0 && !this.#hasEnded && this.#source.skip !== undefined) {
      const skipped = this.#source.skip(rest);
      if (!(skipped >= 0 && skipped <= rest)) throw new RangeError(`${skipped} of ${rest} bytes were passed over`);
      this.#chunkStart += skipped;
      rest -= skipped;
    }
    while (rest > 0 && this.#advance()) rest -= this.#use(rest);
    return count - rest;
  }

  /** Uses up to `count` bytes of the chunk and says how many it had. */
  #use(count: number): number {
    const used = Math.min(count, this.#chunk.length - this.#used);
    this.#used += used;
    return used;
  }

  #advance(): boolean {
    if (this.#hasEnded) return false;
    this.#chunkStart += this.#chunk.length;
    this.#used = 0;
    const next = this.#source.read();
    this.#hasEnded = next === undefined;
    this.#chunk = next ?? nothing;
    return !this.#hasEnded;
  }
}

/** The bytes at an offset are no archive. Whoever knows the layer adds its name. */
export function invalidArchive(attempted: string, offset: number, found: string): OciUnpackError {
  return new OciUnpackError("INVALID_ARCHIVE", `cannot ${attempted} at offset ${offset}: ${found}`);
}

/** The archive at an offset is well-formed, but larger in some respect than the caller allows. */
export function limitExceeded(attempted: string, offset: number, found: string, limit: keyof Limits, allowed: number) {
  return exceeded(`cannot ${attempted} at offset ${offset}: ${found}`, limit, { allowed });
}
