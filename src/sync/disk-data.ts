import { createHash, type Hash } from "node:crypto";
import { constants } from "node:fs";
import { readSomeAt } from "../linux/content.ts";
import type { Result } from "../linux/libc.ts";
import { closeDescriptor, openUntouchedAt } from "../linux/syscalls.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { ByteSource, Entry, Segment } from "../tar/entry.ts";

/** Passes data on, counts and digests them. */
export class DigestingSource implements ByteSource {
  readonly #source: ByteSource;
  readonly #hash: Hash = createHash("sha256");
  bytes = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  read(): Uint8Array | undefined {
    const piece = this.#source.read();
    if (piece === undefined) return undefined;
    this.#hash.update(piece);
    this.bytes += piece.length;
    return piece;
  }

  /** The SHA-256 of what was read, in hexadecimal digits. To be called once. */
  digest(): string {
    return this.#hash.digest("hex");
  }
}

const chunk = new Uint8Array(256 * 1024);

/**
 * The data of a file at a name, as many as were expected of it. Where they cannot be read, or somebody made the file
 * shorter meanwhile, zeros come in their stead, and the digest tells.
 */
export class DiskData implements ByteSource, Disposable {
  readonly #directory: number;
  readonly #name: ByteString;
  readonly #rest: Segment[];
  /** Opened when something is read. */
  #file: Result | undefined;

  constructor(
    directory: number,
    name: ByteString,
    { sizeBytes, segments = [{ offset: 0, length: sizeBytes }] }: Pick<Entry, "sizeBytes" | "segments">,
  ) {
    this.#directory = directory;
    this.#name = name;
    this.#rest = segments.filter(({ length }) => length > 0).reverse();
  }

  read(): Uint8Array | undefined {
    const segment = this.#rest.pop();
    if (segment === undefined) return undefined;
    this.#file ??= openUntouchedAt(this.#directory, this.#name, constants.O_NONBLOCK);
    const wanted = chunk.subarray(0, segment.length);
    const bytes = this.#file < 0 ? this.#file : readSomeAt(this.#file, wanted, segment.offset);
    const piece = bytes > 0 ? wanted.subarray(0, bytes) : wanted.fill(0);
    const { length } = piece;
    if (length < segment.length) this.#rest.push({ offset: segment.offset + length, length: segment.length - length });
    return piece;
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined && this.#file >= 0) closeDescriptor(this.#file);
  }
}
