import { Buffer } from "node:buffer";
import { BLOCK } from "./block-reader.ts";
import { type ByteString, byteStringOf } from "./byte-string.ts";
import type { Segment } from "./entry.ts";
import type { PaxRecord } from "./pax-records.ts";

/** A reader that knows nothing of sparse files makes one with this name, and nobody takes it for the real thing. */
export const sparseName = byteStringOf("GNUSparseFile.0/sparse-file");

/** What says that an entry is a sparse file in GNU's format 1.0, and which. */
export function sparseRecords(path: ByteString, sizeBytes: number): PaxRecord[] {
  const records = { major: "1", minor: "0", name: path, realsize: String(sizeBytes) };
  return Object.entries(records).map(([key, value]) => [`GNU.sparse.${key}` as ByteString, value as ByteString]);
}

/**
 * What stands before the data in that format: decimal lines, the number of segments and then offset and length of each,
 * in whole blocks. An empty segment states where a last hole ends.
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
 * Segments that hold the same data and more zeros: all but the last are whole blocks long.
 *
 * GNU tar, alone among readers, begins to read each segment at a block, wherever the one before it ended.
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
