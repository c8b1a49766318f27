import { createHash, type Hash } from "node:crypto";
import type { ByteSource, Entry, Segment } from "../tar/entry.ts";

/** Holes are digested as zeros, but nobody waits for more of them than this: some seconds. */
const mostHoleBytes = 4 * 1024 ** 3;

const zeros = new Uint8Array(64 * 1024);

/** Passes on the data of an entry and digests the file that they make, holes included. */
export class DigestedBody implements ByteSource {
  readonly #body: ByteSource;
  readonly #hash: Hash | undefined;
  readonly #sizeBytes: number;
  /** The segments that are still to come, the next one last. */
  readonly #ahead: Segment[];
  #digestedBytes = 0;

  constructor({ sizeBytes, segments = [{ offset: 0, length: sizeBytes }] }: Entry, body: ByteSource) {
    const dataBytes = segments.reduce((sum, { length }) => sum + length, 0);
    this.#body = body;
    this.#hash = sizeBytes - dataBytes > mostHoleBytes ? undefined : createHash("sha256");
    this.#sizeBytes = sizeBytes;
    this.#ahead = segments.toReversed();
  }

  read(): Uint8Array | undefined {
    const piece = this.#body.read();
    if (piece !== undefined && this.#hash !== undefined) this.#digest(piece, this.#hash);
    return piece;
  }

  /** The SHA-256 of the file, once its data have been read; none where its holes are too large. */
  digest(): Uint8Array | undefined {
    const hash = this.#hash;
    if (hash === undefined) return undefined;
    this.#digestZeros(this.#sizeBytes - this.#digestedBytes, hash);
    return hash.digest();
  }

  #digest(piece: Uint8Array, hash: Hash): void {
    for (let rest = piece; rest.length > 0; ) {
      const next = this.#ahead.at(-1);
      if (next === undefined) return;
      this.#digestZeros(next.offset - this.#digestedBytes, hash);
      const part = rest.subarray(0, next.offset + next.length - this.#digestedBytes);
      hash.update(part);
      this.#digestedBytes += part.length;
      rest = rest.subarray(part.length);
      if (this.#digestedBytes === next.offset + next.length) this.#ahead.pop();
    }
  }

  #digestZeros(count: number, hash: Hash): void {
    if (count <= 0) return;
    for (let rest = count; rest > 0; rest -= zeros.length) hash.update(zeros.subarray(0, rest));
    this.#digestedBytes += count;
  }
}
