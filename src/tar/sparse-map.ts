import { Buffer } from "node:buffer";
import type { Limits } from "../base/limits.ts";
import { archiveLimitExceeded, BLOCK, invalidArchive } from "./block-reader.ts";
import { type ByteString, byteString, byteStringOf } from "./byte-string.ts";
import type { Segment } from "./entry.ts";
import { decimal } from "./numbers.ts";
import type { PaxRecord } from "./pax-records.ts";

/** The map of a sparse file while it is read: its segments in order, none overlapping another. */
export class SparseMap {
  readonly segments: Segment[] = [];
  readonly #offset: number;
  readonly #limits: Limits;
  #count = 0;
  #end = 0;
  #dataBytes = 0;

  /** `offset` is where the entry's header is, for error messages. */
  constructor(offset: number, limits: Limits) {
    this.#offset = offset;
    this.#limits = limits;
  }

  /**
   * Throws if `count` segments are more than allowed. For a map that states its length this is checked before it is
   * read.
   */
  expect(count: number): void {
    const { sparseSegments } = this.#limits;
    if (count > sparseSegments) {
      throw archiveLimitExceeded(
        "decode the sparse map",
        this.#offset,
        `it has ${count} segments`,
        "sparseSegments",
        sparseSegments,
      );
    }
  }

  /** Adds a segment. One without data is not kept: at the end of the map it only states the file's size. */
  add(offset: number, length: number): void {
    this.expect(++this.#count);
    const end = offset + length;
    if (!(offset >= this.#end && length >= 0 && Number.isSafeInteger(end))) {
      throw this.invalid(
        `segment ${this.#count} begins at ${offset} and has ${length} bytes, after one that ends at ${this.#end}`,
      );
    }
    this.#end = end;
    this.#dataBytes += length;
    if (length > 0) this.segments.push({ offset, length });
  }

  /** Throws unless the segments lie within the file and the archive has as much data as they need. */
  close(sizeBytes: number, bodyBytes: number): void {
    if (this.#end > sizeBytes)
      throw this.invalid(`its segments end at ${this.#end}, but the file has ${sizeBytes} bytes`);
    if (this.#dataBytes !== bodyBytes) {
      throw this.invalid(`its segments have ${this.#dataBytes} bytes together, but the archive holds ${bodyBytes}`);
    }
  }

  invalid(found: string) {
    return invalidArchive("decode the sparse map", this.#offset, found);
  }
}

const COMMA = 0x2c;

/** The GNU.sparse records of a pax header (GNU tar manual, "Storing Sparse Files"). */
export class SparseRecords {
  /** The name of the file. The entry's own path is for readers that do not know sparse files. */
  name: ByteString | undefined;
  /** Size of the file, holes counted. */
  sizeBytes: number | undefined;
  #major: number | undefined;
  #minor: number | undefined;
  #count: number | undefined;
  /** Offset and length in turn. */
  #map: number[] = [];

  /** Reads one record. Returns false if its value is malformed, or if `offset` and `numbytes` do not alternate. */
  accept(keyword: string, value: Uint8Array): boolean {
    if (keyword === "GNU.sparse.name") {
      this.name = value.length === 0 ? undefined : byteString(value);
      return !value.includes(0);
    }
    if (keyword === "GNU.sparse.map") {
      this.#map = numbersBetweenCommas(value);
      return this.#map.length % 2 === 0 && this.#map.every(Number.isSafeInteger);
    }
    const number = decimal(value, 0, value.length);
    return Number.isSafeInteger(number) && this.#acceptNumber(keyword, number);
  }

  #acceptNumber(keyword: string, number: number): boolean {
    switch (keyword) {
      case "GNU.sparse.major":
        this.#major = number;
        return true;
      case "GNU.sparse.minor":
        this.#minor = number;
        return true;
      case "GNU.sparse.size":
      case "GNU.sparse.realsize":
        this.sizeBytes = number;
        return true;
      case "GNU.sparse.numblocks":
        this.#count = number;
        return true;
      case "GNU.sparse.offset":
        return this.#map.push(number) % 2 === 1;
      case "GNU.sparse.numbytes":
        return this.#map.push(number) % 2 === 0;
      default:
        return true;
    }
  }

  /**
   * Whether the records make the entry a sparse file. A name or a size alone does not: Go, and so every engine, ignores
   * it.
   */
  get isMap(): boolean {
    return (this.#major ?? this.#minor ?? this.#count) !== undefined || this.#map.length > 0;
  }

  /** The number of GNU's format. In formats 0.0 and 0.1 it may be missing. */
  get format(): string {
    return `${this.#major ?? 0}.${this.#minor ?? 0}`;
  }

  /** Formats 0.0 and 0.1: the map is in the records themselves. */
  fill(map: SparseMap): void {
    const count = this.#map.length / 2;
    if (!Number.isInteger(count)) throw map.invalid("its last segment has no length");
    if (this.#count !== undefined && this.#count !== count)
      throw map.invalid(`it has ${count} segments, not ${this.#count}`);
    for (let at = 0; at < this.#map.length; at += 2) map.add(this.#map[at] ?? 0, this.#map[at + 1] ?? 0);
  }
}

function numbersBetweenCommas(text: Uint8Array): number[] {
  const numbers: number[] = [];
  for (let start = 0; start < text.length; ) {
    const comma = text.indexOf(COMMA, start);
    const end = comma < 0 ? text.length : comma;
    numbers.push(decimal(text, start, end));
    start = end + 1;
  }
  return numbers;
}

/**
 * The name of the file that a reader makes which does not know sparse files. It cannot be confused with a real file.
 */
export const sparseName = byteStringOf("GNUSparseFile.0/sparse-file");

/** The records that say that an entry is a sparse file in GNU's format 1.0. */
export function sparseRecords(path: ByteString, sizeBytes: number): PaxRecord[] {
  const records = { major: "1", minor: "0", name: path, realsize: String(sizeBytes) };
  return Object.entries(records).map(([key, value]) => [`GNU.sparse.${key}` as ByteString, value as ByteString]);
}

/**
 * The map before the data in GNU's format 1.0: decimal lines with the number of segments, then offset and length of
 * each, in whole blocks. An empty segment at the end says where the last hole ends.
 */
export function sparseMapText(segments: readonly Segment[], sizeBytes: number): Uint8Array {
  const last = segments.at(-1);
  const endsInHole = last === undefined || last.offset + last.length < sizeBytes;
  const all = endsInHole ? [...segments, { offset: sizeBytes, length: 0 }] : segments;
  return inWholeBlocks(`${[all.length, ...all.flatMap(({ offset, length }) => [offset, length])].join("\n")}\n`);
}

function inWholeBlocks(text: string): Uint8Array {
  const block = Buffer.alloc(inBlocks(text.length));
  block.write(text, "latin1");
  return block;
}

/**
 * The same data in segments whose lengths are whole blocks, except for the last one. They contain some of the zeros of
 * the holes.
 *
 * GNU tar needs this: it reads each segment from the beginning of a block, wherever the segment before it ended.
 */
export function segmentsInBlocks(segments: readonly Segment[], sizeBytes: number): Segment[] {
  const runs: { readonly offset: number; length: number }[] = [];
  for (const { offset, length } of segments) {
    const last = runs.at(-1);
    if (last !== undefined && offset < last.offset + last.length) last.length = inBlocks(offset + length - last.offset);
    else runs.push({ offset, length: inBlocks(length) });
  }
  return runs.map(({ offset, length }) => ({ offset, length: Math.min(length, sizeBytes - offset) }));
}

function inBlocks(length: number): number {
  return Math.ceil(length / BLOCK) * BLOCK;
}
