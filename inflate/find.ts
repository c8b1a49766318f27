import { PIECE, SKIP_BITS, SKIPS } from "./memory";

/*
 * Where in the middle of deflate data a block may begin. What is found may be a mistake; a block of fixed codes, and the
 * last one of a stream, are never found.
 */

/** What 7 - `length` bits of a code of that length leave over, for 0 (there is none) to 7, one byte each. */
const KRAFT: u64 = 0x01_02_04_08_10_20_40_00;

/**
 * The first 13 bits of a block with codes of its own (RFC 1951, section 3.2.7): not the last one, type 2, at most 286
 * literals and lengths, at most 30 distances. Says for all 13 bits how far behind the first of them such a block may
 * begin, as far as they tell.
 */
export function writeSkips(): void {
  for (let bits: u32 = 0; bits < 1 << SKIP_BITS; bits++) {
    let skip: u32 = 0;
    while (!mayBegin(bits >> skip, SKIP_BITS - skip)) skip++;
    store<u8>(SKIPS + bits, <u8>skip);
  }
}

function mayBegin(bits: u32, known: u32): bool {
  if (known >= 1 && (bits & 1) !== 0) return false;
  if (known >= 2 && (bits & 2) !== 0) return false;
  if (known >= 3 && (bits & 4) === 0) return false;
  if (known >= 8 && ((bits >> 4) & 15) === 15) return false;
  return !(known >= 13 && ((bits >> 9) & 15) === 15);
}

/** In how many places of a piece lengths may be added up. So data of which each bit may begin a block cost little. */
const MOST_SUMS: u32 = 1 << 19;

let sums: u32 = 0;

/** Begins to search a piece. */
export function beginSearch(): void {
  sums = 0;
}

/**
 * The first bit of the piece, from this one on and before `end`, where a block with codes of its own may begin; or `end`,
 * also if the search has taken too much.
 */
export function findDynamic(from: u32, end: u32): u32 {
  let bit = from;
  while (bit < end && sums < MOST_SUMS) {
    const bits = bitsAt(bit);
    const skip = <u32>load<u8>(SKIPS + <usize>(bits & ((1 << SKIP_BITS) - 1)));
    if (skip === 0) {
      sums++;
      if (isComplete(bit + 17, <u32>(bits >> 13) & 15)) return bit;
      bit++;
    } else {
      bit += skip;
    }
  }
  return end;
}

/** At least 57 bits of the piece. */
function bitsAt(bit: u32): u64 {
  return load<u64>(PIECE + <usize>(bit >> 3)) >> (<u64>bit & 7);
}

/** Whether 4 more than so many lengths of 3 bits each, which begin at `bit`, are those of a complete code. */
function isComplete(bit: u32, count: u32): bool {
  let lengths = bitsAt(bit) & (((<u64>1) << ((count + 4) * 3)) - 1);
  let sum: u64 = 0;
  for (; lengths !== 0; lengths >>= 3) sum += (KRAFT >> ((lengths & 7) << 3)) & 255;
  return sum === 128;
}

/**
 * The first bit of the piece, from this one on and before `end`, where the length of a stored block may lie; or `end`.
 * It is a whole byte; the block begins 3 to 10 bits before, which are all 0.
 */
export function findStored(from: u32, end: u32): u32 {
  for (let byte = max<u32>((from + 7) >> 3, 1); byte << 3 < end; byte++) {
    const lengths = load<u32>(PIECE + byte);
    if ((lengths & 0xffff) !== ~lengths >>> 16) continue;
    if (load<u8>(PIECE + byte - 1) < 32) return byte << 3;
  }
  return end;
}
