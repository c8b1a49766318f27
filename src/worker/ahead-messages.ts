import { type BoundaryKind, boundaryKinds, type GuessedPiece } from "../blob/ahead-decoder.ts";
import type { CompressedInput } from "../blob/compressed-input.ts";
import { type ByteSpace, copyAll, copyBytes } from "../blob/decompressed-output.ts";

/*
 * What the decompressing thread and one that decodes ahead say to each other, through two rings:
 *
 *   to the thread    what it is given: kind, bytes, limit (three words), the bytes
 *   from the thread  what it made of a piece: eight words, the tail; or of frames: two words
 *   to the thread    whether that is taken (a word), and if so, for a piece, the history
 *   from the thread  if it is taken, the decompressed bytes
 */

/** What a thread is given: for a piece of deflate data the limit is a bit, for zstd frames how many bytes come of them. */
export interface AheadTask {
  readonly kind: "piece" | "frames";
  readonly bytes: number;
  readonly limit: number;
}

export function writeTask({ kind, bytes, limit }: AheadTask, space: ByteSpace): void {
  writeWords([kind === "frames" ? 1 : 0, bytes, limit], space);
}

export function readTask(input: CompressedInput): AheadTask {
  const [isOfFrames, bytes = 0, limit = 0] = readWords(input, 3);
  return { kind: isOfFrames === 1 ? "frames" : "piece", bytes, limit };
}

/** What a thread makes of a piece, and how many bytes that is. */
export interface MadePiece {
  readonly piece: GuessedPiece;
  readonly outputBytes: number;
}

/** The whole numbers that go through a ring, of 32 bits each. */
export function writeWords(words: readonly number[], space: ByteSpace): void {
  copyAll(new Uint8Array(Uint32Array.from(words).buffer), space);
}

export function readWords(input: CompressedInput, count: number): Uint32Array {
  const words = new Uint32Array(count);
  readInto(input, new Uint8Array(words.buffer));
  return words;
}

/** Fills `target` with the next bytes. The input must have as many. */
export function readInto(input: CompressedInput, target: Uint8Array): void {
  let rest = target;
  const missing = input.takeAll(target.length, (piece) => {
    copyBytes(piece, rest);
    rest = rest.subarray(piece.length);
  });
  if (missing > 0) throw new RangeError(`the input ends ${missing} bytes too early`);
}

const headWords = 8;

/** Writes what was made of a piece; `undefined` if no block was found in it. */
export function writeMade(made: MadePiece | undefined, space: ByteSpace): void {
  if (made === undefined) return writeWords(new Array(headWords).fill(0), space);
  const { start, end, endBit, tail } = made.piece;
  const kinds = [start.kind, end.kind].map((kind) => boundaryKinds.indexOf(kind));
  writeWords([1, start.bit, kinds[0] ?? 0, end.bit, kinds[1] ?? 0, endBit, tail.length, made.outputBytes], space);
  copyAll(new Uint8Array(tail.buffer, tail.byteOffset, tail.byteLength), space);
}

/** Reads what was made of a piece. Its tail lies in `tails`, which has room for 32 KiB of it. */
export function readMade(input: CompressedInput, tails: Uint16Array): MadePiece | undefined {
  const [hasBlock = 0, startBit = 0, startKind, end = 0, endKind, endBit = 0, tailLength = 0, outputBytes = 0] =
    readWords(input, headWords);
  if (hasBlock === 0) return undefined;
  const tail = tails.subarray(0, tailLength);
  readInto(input, new Uint8Array(tail.buffer, 0, tail.byteLength));
  const start = { bit: startBit, kind: kindOf(startKind) };
  return { piece: { start, end: { bit: end, kind: kindOf(endKind) }, endBit, tail }, outputBytes };
}

/** Writes how many bytes were made of frames; `undefined` if something is wrong with them. */
export function writeMadeFrames(outputBytes: number | undefined, space: ByteSpace): void {
  writeWords([outputBytes === undefined ? 0 : 1, outputBytes ?? 0], space);
}

export function readMadeFrames(input: CompressedInput): number | undefined {
  const [isMade, outputBytes] = readWords(input, 2);
  return isMade === 1 ? outputBytes : undefined;
}

function kindOf(index: number | undefined): BoundaryKind {
  return boundaryKinds[index ?? -1] ?? "other";
}
