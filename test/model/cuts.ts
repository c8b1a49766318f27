import type { ByteSource } from "../../src/tar/entry.ts";
import type { Random } from "./random.ts";

/** Bytes in pieces of chance, none of them empty and none of more than `mostBytes`. */
export function cutAtRandom(bytes: Uint8Array, random: Random, mostBytes = bytes.length): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const piece = bytes.subarray(start, start + 1 + random.below(mostBytes));
    pieces.push(piece);
    start += piece.length;
  }
  return pieces;
}

/** A source that gives these pieces. */
export function sourceOfPieces(pieces: readonly Uint8Array[]): ByteSource {
  const rest = pieces.values();
  return { read: () => rest.next().value };
}

/** Bytes of which no two runs are alike, as far as one can see. */
export function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.below(256));
}
