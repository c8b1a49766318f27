import { CompressedInput } from "../../src/blob/compressed-input.ts";
import { DecompressedOutput } from "../../src/blob/decompressed-output.ts";
import { inflate } from "../../src/blob/inflate.ts";
import type { BodyName } from "./bodies.ts";
import { Beginning } from "./gzip-member.ts";

const KiB = 1024;

/** How far from the end of a buffer a stream may end to be near it. */
export const near = 32;

/** Multiples of what buffers hold: there one is full, or begins anew. */
export const bufferEnds = {
  window: [32 * KiB, 64 * KiB, 96 * KiB],
  /** What the inflater makes in one run, with the window before it. */
  output: [288 * KiB, 544 * KiB, 800 * KiB, 1056 * KiB],
  input: [128 * KiB, 256 * KiB, 384 * KiB],
  /** What a ring shows of itself at once, and all of one. */
  rings: [256 * KiB, 512 * KiB, 2048 * KiB, 4096 * KiB],
} as const;

const knownRunEnds = new Map<string, readonly number[]>();

/** Where runs of the inflater really end: a match goes on beyond the end of its buffer, and the next run begins there. */
export function runEnds(name: BodyName, level: number): readonly number[] {
  const key = `${name} ${level}`;
  const ends = knownRunEnds.get(key) ?? observedRunEnds(name, level);
  knownRunEnds.set(key, ends);
  return ends;
}

function observedRunEnds(name: BodyName, level: number): number[] {
  const { deflated } = new Beginning(name, 900 * KiB, { level });
  const chunks = [Buffer.concat([deflated, Buffer.from([3, 0])])];
  const input = new CompressedInput({ read: () => chunks.shift() });
  const space = new Uint8Array(1024 * KiB);
  const ends: number[] = [];
  let end = 0;
  const target = {
    space: () => space,
    commit(bytes: number) {
      end += bytes;
      ends.push(end);
    },
  };
  const limits = { totalBytes: Number.MAX_SAFE_INTEGER, expansionRatio: Number.MAX_SAFE_INTEGER };
  inflate(input, new DecompressedOutput(target, { limits, readBytes: () => input.takenBytes, onBytes: () => {} }));
  return ends.slice(0, -1);
}

/** How much of a body that hardly becomes smaller fills the inflater's input so far, behind a gzip header. */
export function inputEnd(name: BodyName, end: number, level: number): number {
  const { deflated } = new Beginning(name, end, { level });
  return end - (deflated.length - end) + 10;
}
