import { Buffer } from "node:buffer";
import type { Memory } from "../base/memory-budget.ts";
import type { TableEntry } from "./table-entry.ts";
import { TableRefused } from "./table-refused.ts";

/**
 * Where the data of a layer's files are in its blob, in order: plain memory, so that it can be posted to another thread.
 *
 *     files   │ offset in the archive │ size │ SHA-256 │ its first chunk │         of those that have data
 *     chunks  │ start, end in the blob │ bytes before it when that is decompressed │ size │ SHA-256, or zeros │
 */
export interface ChunkList {
  readonly fileOffsets: Float64Array;
  readonly fileSizes: Float64Array;
  readonly fileDigests: Uint8Array;
  readonly firstChunks: Float64Array;
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  readonly innerOffsets: Float64Array;
  readonly sizes: Float64Array;
  readonly chunkDigests: Uint8Array;
}

/** The size of a SHA-256. */
export const digestBytes = 32;

/** What a file, or a chunk, takes in memory: here, and once more on its way to the main thread. */
const fileBytes = 2 * (3 * 8 + digestBytes);
const chunkBytes = 2 * (4 * 8 + digestBytes);

/** A file that no entry tells of, and where its data begin when what it lies in is decompressed. */
export interface TableInArchive {
  readonly sizeBytes: number;
  readonly digest: string;
  readonly innerOffset: number;
}

/** How chunks lie in a blob: each by itself, or several in what is decompressed together. */
export type TableKind = "zstd:chunked" | "eStargz";

/**
 * Makes a `ChunkList`. Throws `TableRefused` unless the chunks of each file are all of it, and those of all files lie in
 * the blob in ascending order, without overlap.
 */
export class ChunkListBuilder {
  readonly #kind: TableKind;
  /** Where the data of files end in the blob. */
  readonly #endOffset: number;
  readonly #memory: Memory;
  readonly #fileOffsets: number[] = [];
  readonly #fileSizes: number[] = [];
  readonly #fileDigests: string[] = [];
  readonly #firstChunks: number[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #innerOffsets: number[] = [];
  readonly #sizes: number[] = [];
  readonly #chunkDigests: string[] = [];

  constructor(kind: TableKind, endOffset: number, memory: Memory) {
    this.#kind = kind;
    this.#endOffset = endOffset;
    this.#memory = memory;
  }

  /** Adds a file that has data: its entry, and the entries of its further chunks. */
  add(chunks: readonly TableEntry[], fileOffset: number): void {
    const [file] = chunks;
    if (file?.digest === undefined) throw new TableRefused("it has a file without a digest");
    this.#memory.spend(fileBytes + chunks.length * chunkBytes, "chunks");
    this.#fileOffsets.push(fileOffset);
    this.#fileSizes.push(file.sizeBytes);
    this.#fileDigests.push(file.digest);
    this.#firstChunks.push(this.#starts.length);
    let sizeBytes = 0;
    for (const [index, chunk] of chunks.entries()) {
      const following = chunks[index + 1];
      if (chunk.chunkOffset !== sizeBytes) throw new TableRefused("it has a file whose chunks are not all of it");
      const rest = (following?.chunkOffset ?? file.sizeBytes) - sizeBytes;
      if (rest <= 0 || (chunk.chunkSize !== 0 && chunk.chunkSize !== rest))
        throw new TableRefused("it has a file whose chunks are not all of it");
      this.#addChunk(chunk, rest, following?.offset ?? file.endOffset);
      sizeBytes += rest;
    }
  }

  /** Adds the file that the table itself is: it lies behind all others. */
  addLast({ sizeBytes, digest, innerOffset }: TableInArchive, fileOffset: number): void {
    this.#fileOffsets.push(fileOffset);
    this.#fileSizes.push(sizeBytes);
    this.#fileDigests.push(digest);
    this.#firstChunks.push(this.#starts.length);
    this.#endSection(this.#endOffset);
    this.#starts.push(this.#endOffset);
    this.#innerOffsets.push(innerOffset);
    this.#sizes.push(sizeBytes);
    this.#chunkDigests.push(digest);
  }

  #addChunk({ offset, innerOffset, chunkDigest }: TableEntry, sizeBytes: number, end: number): void {
    if (this.#kind === "zstd:chunked") {
      const before = this.#ends.at(-1) ?? 0;
      if (offset < before || end <= offset || end > this.#endOffset) throw outOfOrder();
      this.#ends.push(end);
    } else {
      const before = this.#starts.at(-1) ?? 0;
      const usedBytes = offset === before ? (this.#innerOffsets.at(-1) ?? 0) + (this.#sizes.at(-1) ?? 0) : 0;
      if (offset < before || innerOffset < usedBytes || offset >= this.#endOffset) throw outOfOrder();
      if (offset > before) this.#endSection(offset);
    }
    this.#starts.push(offset);
    this.#innerOffsets.push(this.#kind === "eStargz" ? innerOffset : 0);
    this.#sizes.push(sizeBytes);
    this.#chunkDigests.push(chunkDigest ?? "");
  }

  /** What was begun before ends where the next begins. */
  #endSection(offset: number): void {
    while (this.#ends.length < this.#starts.length) this.#ends.push(offset);
  }

  /** The list. `endOffset` is where the last chunk ends, where no entry says it. */
  end(endOffset: number): ChunkList {
    this.#endSection(endOffset);
    this.#firstChunks.push(this.#starts.length);
    return {
      fileOffsets: Float64Array.from(this.#fileOffsets),
      fileSizes: Float64Array.from(this.#fileSizes),
      fileDigests: digests(this.#fileDigests),
      firstChunks: Float64Array.from(this.#firstChunks),
      starts: Float64Array.from(this.#starts),
      ends: Float64Array.from(this.#ends),
      innerOffsets: Float64Array.from(this.#innerOffsets),
      sizes: Float64Array.from(this.#sizes),
      chunkDigests: digests(this.#chunkDigests),
    };
  }
}

function outOfOrder(): TableRefused {
  return new TableRefused("its chunks do not follow each other in the layer");
}

function digests(hex: readonly string[]): Uint8Array {
  const bytes = Buffer.alloc(hex.length * digestBytes);
  for (const [index, digest] of hex.entries()) bytes.write(digest, index * digestBytes, "hex");
  return bytes;
}
