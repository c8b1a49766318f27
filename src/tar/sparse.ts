import { BLOCK, invalidArchive } from "./block-reader.ts";
import { type DecoderState, fillWhole } from "./decoder-state.ts";
import type { Segment } from "./entry.ts";
import { numericField } from "./numbers.ts";
import { SparseMap, type SparseRecords } from "./sparse-map.ts";

const NEWLINE = 0x0a;

/** A file with holes, once its map is read. */
export interface Sparse {
  readonly segments: readonly Segment[];
  /** Size of the file, holes counted. */
  readonly sizeBytes: number;
  /** Bytes of data that follow in the archive. */
  readonly bodyBytes: number;
}

/**
 * Old GNU format, type flag `S`: four segments in the header, then 21 in each block between header and body.
 *
 *     0       12      24 …                 504         505
 *     offset  length  20 more such pairs   isExtended
 */
export function readOldGnuSparse(state: DecoderState, bodyBytes: number): Sparse {
  const { header, limits } = state;
  if (!header.isGnu) throw invalidArchive("decode the sparse map", header.offset, "the header is not GNU's");
  const map = new SparseMap(header.offset, limits);
  const sizeBytes = header.number("real size", 483, 12);
  addSegments(map, header.block, 386, 4);
  const block = new Uint8Array(BLOCK);
  for (let isExtended = header.block[482] !== 0; isExtended; isExtended = block[504] !== 0) {
    fillWhole(state, block, "the sparse map");
    addSegments(map, block, 0, 21);
  }
  map.close(sizeBytes, bodyBytes);
  return { segments: map.segments, sizeBytes, bodyBytes };
}

/** The pax formats: in 0.0 and 0.1 the map is in the records, in 1.0 it comes before the data. */
export function readPaxSparse(state: DecoderState, records: SparseRecords, storedBytes: number): Sparse {
  const { header, limits } = state;
  const map = new SparseMap(header.offset, limits);
  const { format, sizeBytes } = records;
  if (sizeBytes === undefined) throw map.invalid("the size of the file is missing");
  if (format !== "0.0" && format !== "0.1" && format !== "1.0") throw map.invalid(`format ${format} is unknown`);
  if (format !== "1.0") records.fill(map);
  const bodyBytes = format === "1.0" ? storedBytes - readMap(state, map, storedBytes) : storedBytes;
  map.close(sizeBytes, bodyBytes);
  return { segments: map.segments, sizeBytes, bodyBytes };
}

/** Adds the pairs of a block up to the first empty one. */
function addSegments(map: SparseMap, block: Uint8Array, start: number, most: number): void {
  for (let at = start; at < start + 24 * most && block[at] !== 0; at += 24) {
    map.add(numericField(block, at, 12), numericField(block, at + 12, 12));
  }
}

/** Format 1.0: decimal lines, first the count of segments, then offset and length of each, padded to a whole block. */
function readMap(state: DecoderState, map: SparseMap, storedBytes: number): number {
  const lines = new MapLines(state, map, storedBytes);
  const count = lines.next();
  map.expect(count);
  for (let index = 0; index < count; index++) {
    const offset = lines.next();
    map.add(offset, lines.next());
  }
  return lines.readBytes;
}

/** Reads numbers, one from each line, block by block. */
class MapLines {
  /** How many bytes of the data the lines have taken so far. */
  readBytes = 0;
  readonly #state: DecoderState;
  readonly #map: SparseMap;
  readonly #storedBytes: number;
  readonly #block = new Uint8Array(BLOCK);
  #used = BLOCK;

  constructor(state: DecoderState, map: SparseMap, storedBytes: number) {
    this.#state = state;
    this.#map = map;
    this.#storedBytes = storedBytes;
  }

  next(): number {
    let value = 0;
    let digits = 0;
    for (let byte = this.#byte(); byte !== NEWLINE; byte = this.#byte()) {
      const digit = byte - 0x30;
      if (digit < 0 || digit > 9 || ++digits > 16) throw this.#map.invalid("a line of it is not a number");
      value = value * 10 + digit;
    }
    if (digits === 0) throw this.#map.invalid("a line of it is empty");
    return value;
  }

  #byte(): number {
    if (this.#used === BLOCK) this.#advance();
    return this.#block[this.#used++] ?? 0;
  }

  #advance(): void {
    this.readBytes += BLOCK;
    if (this.readBytes > this.#storedBytes) throw this.#map.invalid("it does not end within the entry");
    fillWhole(this.#state, this.#block, "the sparse map");
    this.#used = 0;
  }
}
