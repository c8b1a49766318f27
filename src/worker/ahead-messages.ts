import { type BoundaryKind, boundaryKinds, type GuessedPiece } from "../blob/ahead-decoder.ts";
import type { CompressedInput } from "../blob/compressed-input.ts";
import { type ByteSpace, copyAll, copyBytes } from "../blob/decompressed-output.ts";

/*
 * What the decompressing thread and one that decodes ahead say to each other, through two rings:
 *
 *   to the thread    its piece: bytes, limit (two words), the bytes; then whether it is taken (a word), and if so the history
 *   from the thread  what it made of it: eight words, the tail; and if that is taken, the decompressed bytes
 */

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

function kindOf(index: number | undefined): BoundaryKind {
  return boundaryKinds[index ?? -1] ?? "other";
}
