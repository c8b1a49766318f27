import { Buffer } from "node:buffer";
import { createHash, type Hash } from "node:crypto";
import type { Limits } from "../base/limits.ts";
import type { Memory } from "../base/memory-budget.ts";
import type { ByteSource, Entry, Segment } from "../tar/entry.ts";
import type { TreeFile } from "./tree-file.ts";

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
    this.#hash = holes.take(sizeBytes - dataBytes) ? createHash("sha256") : undefined;
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

/** What a SHA-256 takes. */
const digestBytes = 32;

/** Stands for no digest. */
const none = Buffer.alloc(digestBytes);

/** The SHA-256 digests of many files by number, of which there may be none for some. */
export class ContentDigests {
  #bytes = Buffer.alloc(0);
  #count = 0;
  readonly #memory: Memory;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Keeps a digest, or that there is none, and gives its number. */
  add(digest: Uint8Array | undefined): number {
    const number = this.#count;
    this.#count += 1;
    if (this.#count * digestBytes > this.#bytes.length) this.#grow();
    this.#bytes.set(digest ?? none, number * digestBytes);
    return number;
  }

  /** In hexadecimal digits. */
  get(number: number): string | undefined {
    if (number >= this.#count) return undefined;
    const digest = this.#bytes.subarray(number * digestBytes, (number + 1) * digestBytes);
    return digest.equals(none) ? undefined : digest.toString("hex");
  }

  #grow(): void {
    const bytes = Buffer.alloc(Math.max(2 * this.#bytes.length, fewestDigests * digestBytes));
    this.#memory.spend(bytes.length - this.#bytes.length, "digests");
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }
}

/** For how many digests there is room at first. */
const fewestDigests = 64;

const emptyDigest = createHash("sha256").digest("hex");

/** The SHA-256 of a regular file of a tree in hexadecimal digits, if it is known: `digests` has it by its `content`. */
export function digestOf(
  { sizeBytes, content }: Pick<TreeFile, "sizeBytes" | "content">,
  digests: { get(content: number): string | undefined },
): string | undefined {
  return sizeBytes === 0 ? emptyDigest : digests.get(content);
}
