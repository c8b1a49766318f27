import { Buffer } from "node:buffer";
import { BLOCK } from "./block-reader.ts";
import { type ByteString, byteStringOf } from "./byte-string.ts";
import type { Segment } from "./entry.ts";
import type { PaxRecord } from "./pax-records.ts";

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
