import type { Hash } from "node:crypto";
import type { Limits } from "../base/limits.ts";
import { nodeCrypto } from "../base/on-demand.ts";
import type { ByteSource, Entry, Segment } from "../tar/entry.ts";

/** Holes are digested as zeros, but nobody waits for more of them than this: some seconds for a whole image. */
const mostHoleBytes = 4 * 1024 ** 3;

/** How much of the holes of an image's files may be digested, all files together. */
export class DigestibleHoles {
  #restBytes: number;

  /** No more than the files of an image may have in data. */
  constructor({ totalBytes }: Pick<Limits, "totalBytes">) {
    this.#restBytes = Math.min(mostHoleBytes, totalBytes);
  }

  /** Whether so much more may be digested; if so, it counts. */
  take(bytes: number): boolean {
    const isWithin = bytes <= this.#restBytes;
    if (isWithin) this.#restBytes -= bytes;
    return isWithin;
  }
}

const zeros = new Uint8Array(64 * 1024);

/** Passes on the data of an entry and digests the file that they make, holes included. */
export class DigestedBody implements ByteSource {
  readonly #body: ByteSource;
  readonly #hash: Hash | undefined;
  readonly #sizeBytes: number;
  /** The segments that are still to come, the next one last. */
  readonly #ahead: Segment[];
  #digestedBytes = 0;

  /** What has larger holes than `holes` has left gets no digest. */
  constructor(
    { sizeBytes, segments = [{ offset: 0, length: sizeBytes }] }: Pick<Entry, "sizeBytes" | "segments">,
    body: ByteSource,
    holes: DigestibleHoles,
  ) {
    const dataBytes = segments.reduce((sum, { length }) => sum + length, 0);
    this.#body = body;
    this.#hash = holes.take(sizeBytes - dataBytes) ? nodeCrypto().createHash("sha256") : undefined;
    this.#sizeBytes = sizeBytes;
    this.#ahead = segments.toReversed();
  }

  read(): Uint8Array | undefined {
    const piece = this.#body.read();
    if (piece !== undefined && this.#hash !== undefined) this.#digest(piece, this.#hash);
    return piece;
  }

  /** The SHA-256 of the file, once its data have been read; none where holes were too large. */
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
