import { limitExceeded, OciUnpackError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import type { ByteSource } from "./entry.ts";

/** Headers, bodies and markers of an archive begin at multiples of this many bytes. */
export const BLOCK = 512;

const nothing = new Uint8Array(0);

/** Reads the pieces of an archive from a source, whatever chunks that yields, and counts the bytes. */
export class BlockReader {
  readonly #source: ByteSource;
  #chunk: Uint8Array = nothing;
  /** How many bytes of the chunk have been read. */
  #used = 0;
  /** Where the chunk begins in the archive. */
  #chunkStart = 0;
  /** Whether the source has ended. It is not read again: what it yields then may be the next archive. */
  #hasEnded = false;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** How many bytes of the archive have been read. */
  get offset(): number {
    return this.#chunkStart + this.#used;
  }

  /** Up to `most` bytes, as a view of the source's memory that is valid until the next call; `undefined` at the end. */
  piece(most: number): Uint8Array | undefined {
    if (this.#used === this.#chunk.length && !this.#advance()) return undefined;
    const start = this.#used;
    const end = Math.min(start + most, this.#chunk.length);
    this.#used = end;
    return end - start === this.#chunk.length ? this.#chunk : this.#chunk.subarray(start, end);
  }

  /** Copies the next bytes into `target` and returns how many. They are fewer than fit only if the archive ends. */
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

  /** Skips `count` bytes and returns how many there were. */
  skip(count: number): number {
    let rest = count - this.#use(count);
    if (rest > 0 && !this.#hasEnded && this.#source.skip !== undefined) {
      const skipped = this.#source.skip(rest);
      if (!(skipped >= 0 && skipped <= rest)) throw new RangeError(`${skipped} of ${rest} bytes were skipped`);
      this.#chunkStart += skipped;
      rest -= skipped;
    }
    while (rest > 0 && this.#advance()) rest -= this.#use(rest);
    return count - rest;
  }

  /** Skips up to `count` bytes of the chunk and returns how many it had. */
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

/** The error for bytes that are not a valid archive. The caller adds the name of the layer. */
export function invalidArchive(attempted: string, offset: number, found: string): OciUnpackError {
  return new OciUnpackError("INVALID_ARCHIVE", `cannot ${attempted} at offset ${offset}: ${found}`);
}

/** The error for an archive that is valid but larger than a limit allows. */
export function archiveLimitExceeded(
  attempted: string,
  offset: number,
  found: string,
  limit: keyof Limits,
  allowed: number,
) {
  return limitExceeded(`cannot ${attempted} at offset ${offset}: ${found}`, limit, { allowed });
}
