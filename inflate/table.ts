import { CODE_BIT, EXCEPTIONAL, SUBTABLE } from "./entry";
import { LENGTH_COUNTS, LENGTH_OFFSETS, SORTED_SYMBOLS } from "./memory";

const LONGEST_CODE: u32 = 15;

/** What a set of code lengths can be. */
export const COMPLETE: i32 = 0;
/** One code of one bit, or none: allowed where a block needs no second one (RFC 1951, section 3.2.7). */
export const SPARSE: i32 = 1;
export const WRONG: i32 = 2;

/**
 * Builds the table that decodes a Huffman code (RFC 1951, section 3.2.2), given the lengths of its codes.
 *
 * The next `tableBits` of the input are an index into it. Longer codes go on in a subtable, behind the first 2^tableBits.
 */
export function buildTable(table: usize, tableBits: u32, lengths: usize, symbols: u32, results: usize): i32 {
  memory.fill(LENGTH_COUNTS, 0, 64);
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const count = LENGTH_COUNTS + ((<usize>load<u8>(lengths + symbol)) << 2);
    store<u32>(count, load<u32>(count) + 1);
  }
  let unused: i32 = 1;
  let offset: u32 = 0;
  for (let length: u32 = 1; length <= LONGEST_CODE; length++) {
    const count = load<u32>(LENGTH_COUNTS + length * 4);
    store<u32>(LENGTH_OFFSETS + length * 4, offset);
    offset += count;
    unused = (unused << 1) - <i32>count;
    if (unused < 0) return WRONG;
  }
  if (unused > 0) return buildSparse(table, tableBits, lengths, symbols, results, offset);

  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const length = <usize>load<u8>(lengths + symbol);
    if (length === 0) continue;
    const place = LENGTH_OFFSETS + length * 4;
    const index = load<u32>(place);
    store<u32>(place, index + 1);
    store<u16>(SORTED_SYMBOLS + index * 2, <u16>symbol);
  }
  fill(table, tableBits, results);
  return COMPLETE;
}

function buildSparse(table: usize, tableBits: u32, lengths: usize, symbols: u32, results: usize, codes: u32): i32 {
  let entry: u32 = <u32>EXCEPTIONAL + CODE_BIT;
  const invalid = entry;
  if (codes > 1) return WRONG;
  if (codes === 1) {
    if (load<u32>(LENGTH_COUNTS + 4) !== 1) return WRONG;
    let symbol: u32 = 0;
    while (symbol < symbols && load<u8>(lengths + symbol) === 0) symbol++;
    entry = load<u32>(results + symbol * 4) + CODE_BIT;
  }
  for (let index: u32 = 0; index < (<u32>1) << tableBits; index += 2) {
    store<u32>(table + index * 4, entry);
    store<u32>(table + index * 4 + 4, invalid);
  }
  return SPARSE;
}

/**
 * Codes of one length follow each other, the shortest first. While they fit into the first step, the table has as many
 * entries as codes of that length could tell apart; it is doubled, by copying what is there, when codes get longer.
 */
function fill(table: usize, tableBits: u32, results: usize): void {
  let length: u32 = 1;
  while (load<u32>(LENGTH_COUNTS + length * 4) === 0) length++;
  let size: u32 = 1 << min(length, tableBits);
  let code: u32 = 0;
  let sorted: usize = SORTED_SYMBOLS;
  for (; length <= tableBits; length++) {
    for (let left = load<u32>(LENGTH_COUNTS + length * 4); left > 0; left--) {
      const symbol = <usize>load<u16>(sorted);
      sorted += 2;
      store<u32>(table + code * 4, load<u32>(results + symbol * 4) + length * CODE_BIT);
      if (code === size - 1) {
        for (; size < (<u32>1) << tableBits; size <<= 1) double(table, size);
        return;
      }
      code = following(code, size - 1);
    }
    if (length < tableBits) {
      double(table, size);
      size <<= 1;
    }
  }
  fillSubtables(table, tableBits, results, code, sorted);
}

function fillSubtables(table: usize, tableBits: u32, results: usize, firstCode: u32, firstSorted: usize): void {
  let code = firstCode;
  let sorted = firstSorted;
  let prefix: u32 = u32.MAX_VALUE;
  let start: u32 = 0;
  let end: u32 = 1 << tableBits;
  let indexBits: u32 = 0;
  for (let length = tableBits + 1; length <= LONGEST_CODE; length++) {
    const step: u32 = 1 << (length - tableBits);
    for (let left = load<u32>(LENGTH_COUNTS + length * 4); left > 0; left--) {
      if ((code & ((1 << tableBits) - 1)) !== prefix) {
        prefix = code & ((1 << tableBits) - 1);
        indexBits = bitsOfSubtable(length - tableBits, left, tableBits);
        start = end;
        end += 1 << indexBits;
        store<u32>(table + prefix * 4, (start << 16) | <u32>(EXCEPTIONAL | SUBTABLE) | (indexBits << 8) | tableBits);
      }
      const symbol = <usize>load<u16>(sorted);
      sorted += 2;
      const entry = load<u32>(results + symbol * 4) + (length - tableBits) * CODE_BIT;
      for (let index = start + (code >> tableBits); index < end; index += step) store<u32>(table + index * 4, entry);
      if (code === <u32>(1 << length) - 1) return;
      code = following(code, (1 << length) - 1);
    }
  }
}

/** As many as it takes until the codes that share this prefix fill the subtable. */
function bitsOfSubtable(shortest: u32, leftOfShortest: u32, tableBits: u32): u32 {
  let bits = shortest;
  let unused: i32 = (1 << bits) - <i32>leftOfShortest;
  while (unused > 0) {
    bits++;
    unused = (unused << 1) - <i32>load<u32>(LENGTH_COUNTS + (tableBits + bits) * 4);
  }
  return bits;
}

/** The code after this one; codes are written with their first bit lowest, so this counts from the other end. */
function following(code: u32, all: u32): u32 {
  const bit: u32 = (<u32>1) << (31 - clz<u32>(code ^ all));
  return (code & (bit - 1)) | bit;
}

/** May write some entries more than `size`, which are not used yet. */
function double(table: usize, size: u32): void {
  const bytes = (<usize>size) << 2;
  for (let at: usize = 0; at < bytes; at += 16) v128.store(table + bytes + at, v128.load(table + at));
}
