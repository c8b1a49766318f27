import { type Attributes, entry, pairsOf } from "./tar-builder.ts";
import { type Bytes, body, bytesOf, type HeaderFields, joined, octal } from "./tar-header.ts";

/** A run of data in a sparse file. */
export interface Run {
  readonly offset: number;
  readonly content: Bytes;
}

/** A file with holes: runs of data in order, and the size that it has with its holes. */
export interface SparseFile {
  readonly runs: readonly Run[];
  readonly size: number;
}

/** Old GNU format: type flag `S`, four segments in the header, 21 in each block that follows it. */
export function sparseOldGnu(path: Bytes, { runs, size }: SparseFile, attributes: Attributes = {}): Uint8Array {
  const map = segmentsOf(runs);
  const fields: HeaderFields = {
    gnuSparseMap: pairs(map.slice(0, 4)),
    gnuIsExtended: map.length > 4 ? "\x01" : "\0",
    gnuRealSize: size,
    ...attributes.header,
  };
  const extended: Uint8Array[] = [];
  for (let first = 4; first < map.length; first += 21) {
    const block = new Uint8Array(512);
    block.set(pairs(map.slice(first, first + 21)));
    block[504] = map.length > first + 21 ? 1 : 0;
    extended.push(block);
  }
  const whole = entry("S", path, "", dataOf(runs), { ...attributes, dialect: "gnu", header: fields });
  const bodyStart = whole.length - body(dataOf(runs)).length;
  return joined(whole.slice(0, bodyStart), ...extended, whole.slice(bodyStart));
}

/** pax format 0.0: one pair of records, `GNU.sparse.offset` and `GNU.sparse.numbytes`, for each segment. */
export function sparsePax00(path: Bytes, { runs, size }: SparseFile, attributes: Attributes = {}): Uint8Array {
  return member(path, dataOf(runs), attributes, [
    ["GNU.sparse.size", String(size)],
    ["GNU.sparse.numblocks", String(runs.length)],
    ...segmentsOf(runs).flatMap(([offset, length]): [string, Bytes][] => [
      ["GNU.sparse.offset", String(offset)],
      ["GNU.sparse.numbytes", String(length)],
    ]),
  ]);
}

/** pax format 0.1: the whole map in one record. */
export function sparsePax01(path: Bytes, { runs, size }: SparseFile, attributes: Attributes = {}): Uint8Array {
  return member("GNUSparseFile.0/file", dataOf(runs), attributes, [
    ["GNU.sparse.size", String(size)],
    ["GNU.sparse.numblocks", String(runs.length)],
    ["GNU.sparse.map", segmentsOf(runs).flat().join(",")],
    ["GNU.sparse.name", path],
  ]);
}

/** pax format 1.0: the map stands before the data, in decimal lines, padded to a whole block. */
export function sparsePax10(path: Bytes, { runs, size }: SparseFile, attributes: Attributes = {}): Uint8Array {
  const map = [runs.length, ...segmentsOf(runs).flat()].map((number) => `${number}\n`).join("");
  return member("GNUSparseFile.0/file", joined(body(map), dataOf(runs)), attributes, [
    ["GNU.sparse.major", "1"],
    ["GNU.sparse.minor", "0"],
    ["GNU.sparse.name", path],
    ["GNU.sparse.realsize", String(size)],
  ]);
}

function member(path: Bytes, content: Uint8Array, attributes: Attributes, records: [string, Bytes][]): Uint8Array {
  return entry("0", path, "", content, { ...attributes, pax: [...records, ...pairsOf(attributes.pax ?? {})] });
}

function segmentsOf(runs: readonly Run[]): [offset: number, length: number][] {
  return runs.map(({ offset, content }) => [offset, bytesOf(content).length]);
}

function dataOf(runs: readonly Run[]): Uint8Array {
  return joined(...runs.map(({ content }) => content));
}

function pairs(map: readonly (readonly [number, number])[]): Uint8Array {
  return joined(...map.flat().map((number) => `${octal(number, 11)}\0`));
}
