/** Pieces below this are copied together. */
const smallBytes = 1024;
const blockBytes = 16 * 1024;

/**
 * Bytes that are held until all are there. A server may send them one by one, and a piece of its own takes some hundreds of
 * bytes besides.
 */
export class Gathered {
  readonly #pieces: Uint8Array[] = [];
  /** What small pieces are copied into, and how much of it is used and not among the pieces yet. */
  #block: Uint8Array = new Uint8Array(0);
  #usedBytes = 0;
  #size = 0;

  add(piece: Uint8Array): void {
    this.#size += piece.length;
    if (piece.length >= smallBytes) {
      this.#seal();
      this.#pieces.push(piece);
      return;
    }
    if (piece.length > this.#block.length - this.#usedBytes) {
      this.#seal();
      this.#block = Buffer.allocUnsafe(blockBytes);
    }
    this.#block.set(piece, this.#usedBytes);
    this.#usedBytes += piece.length;
  }

  get size(): number {
    return this.#size;
  }

  /** All of it, in pieces that are worth it. */
  pieces(): readonly Uint8Array[] {
    this.#seal();
    return this.#pieces;
  }

  whole(): Buffer {
    return Buffer.concat(this.pieces(), this.#size);
  }

  #seal(): void {
    if (this.#usedBytes === 0) return;
    this.#pieces.push(this.#block.subarray(0, this.#usedBytes));
    this.#block = this.#block.subarray(this.#usedBytes);
    this.#usedBytes = 0;
  }
}
