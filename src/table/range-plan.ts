import { Buffer } from "node:buffer";
import { type ChunkList, digestBytes, type TableKind } from "./chunk-list.ts";
import type { ChunkPlan } from "./chunks-job.ts";

/** What lies between two ranges is read along if it is no more than this: that takes no longer than another request. */
const mostGapBytes = 64 * 1024;

/** A part of a blob that is asked for at once, and what of it is wanted. */
export interface RangeRequest {
  readonly offset: number;
  readonly length: number;
  readonly sections: readonly { readonly start: number; readonly end: number }[];
}

/** What has to be read of a layer for some of its files. */
export interface RangePlan {
  readonly requests: readonly RangeRequest[];
  /** How many bytes are asked for. */
  readonly bytes: number;
  readonly chunks: ChunkPlan;
}

/** The number of the file whose data begin there in the archive; `undefined` if there is none. */
export function fileAt({ fileOffsets }: ChunkList, dataOffset: number): number | undefined {
  let low = 0;
  let high = fileOffsets.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((fileOffsets[middle] ?? 0) < dataOffset) low = middle + 1;
    else high = middle;
  }
  return fileOffsets[low] === dataOffset ? low : undefined;
}

/** The SHA-256 of a file, in hexadecimal digits. */
export function digestOfFile({ fileDigests }: ChunkList, file: number): string {
  return Buffer.from(fileDigests.subarray(file * digestBytes, (file + 1) * digestBytes)).toString("hex");
}

/** What has to be read for the files with these numbers, which are in ascending order. */
export function rangePlan(kind: TableKind, list: ChunkList, files: readonly number[]): RangePlan {
  const chunks = files.flatMap((file) => {
    const first = list.firstChunks[file] ?? 0;
    return Array.from({ length: (list.firstChunks[file + 1] ?? first) - first }, (_, index) => first + index);
  });
  const sections: { start: number; end: number }[] = [];
  const sectionOf: number[] = [];
  for (const chunk of chunks) {
    const start = list.starts[chunk] ?? 0;
    if (sections.at(-1)?.start !== start) sections.push({ start, end: list.ends[chunk] ?? start });
    sectionOf.push(sections.length - 1);
  }
  const requests = requestsFor(sections);
  const digests = new Uint8Array(chunks.length * digestBytes);
  for (const [index, chunk] of chunks.entries())
    digests.set(list.chunkDigests.subarray(chunk * digestBytes, (chunk + 1) * digestBytes), index * digestBytes);
  return {
    requests,
    bytes: requests.reduce((sum, { length }) => sum + length, 0),
    chunks: {
      kind,
      sectionBytes: Float64Array.from(sections, ({ start, end }) => end - start),
      sections: Float64Array.from(sectionOf),
      innerOffsets: Float64Array.from(chunks, (chunk) => list.innerOffsets[chunk] ?? 0),
      sizes: Float64Array.from(chunks, (chunk) => list.sizes[chunk] ?? 0),
      digests,
    },
  };
}

function requestsFor(sections: readonly { readonly start: number; readonly end: number }[]): readonly RangeRequest[] {
  const requests: { offset: number; length: number; sections: { start: number; end: number }[] }[] = [];
  for (const section of sections) {
    const last = requests.at(-1);
    if (last !== undefined && section.start - (last.offset + last.length) <= mostGapBytes) {
      last.length = section.end - last.offset;
      last.sections.push(section);
    } else requests.push({ offset: section.start, length: section.end - section.start, sections: [section] });
  }
  return requests;
}
