import { DISTANCE_RESULTS, LITLEN_RESULTS, PATTERNS, PRECODE_RESULTS, STEPS } from "./memory";

/*
 * An entry of a table says in 32 bits all there is to know about a symbol:
 *
 *   31        │ 30 … 16               │ 15          │ 14       │ 13   │ 12 … 8           │ 5 … 0
 *   LITERAL   │ the byte              │ 0           │          │      │                  │ bits of code
 *   0         │ base of the value     │ 0           │ 0        │ 0    │ bits of code + 2 │ bits of code and extra bits
 *   0         │                       │ EXCEPTIONAL │ 0        │ END  │                  │ bits of code
 *   0         │ start of the subtable │ EXCEPTIONAL │ SUBTABLE │ 0    │ bits of index    │ bits of the first step
 *   0         │                       │ EXCEPTIONAL │ 0        │ 0    │                  │ bits of code: stands for nothing
 *
 * What is taken from the input is always in the lowest 6 bits, where a shift looks for it. The 2 is what `decodeMany`
 * shifts by as well.
 */
export const LITERAL: u64 = 1 << 31;
export const EXCEPTIONAL: u64 = 1 << 15;
export const SUBTABLE: u64 = 1 << 14;
export const END_OF_BLOCK: u64 = 1 << 13;

/** What the length of a code adds to a symbol's result. */
export const CODE_BIT: u32 = 0x101;

function result(base: u32, extraBits: u32): u32 {
  return (base << 16) | (2 << 8) | extraBits;
}

/** RFC 1951, section 3.2.5. */
export function writeResults(): void {
  for (let byte: u32 = 0; byte < 256; byte++) store<u32>(LITLEN_RESULTS + byte * 4, <u32>LITERAL | result(byte, 0));
  store<u32>(LITLEN_RESULTS + 256 * 4, <u32>(EXCEPTIONAL | END_OF_BLOCK));
  let base: u32 = 3;
  for (let symbol: u32 = 257; symbol < 285; symbol++) {
    const extraBits: u32 = symbol < 265 ? 0 : (symbol - 261) >> 2;
    store<u32>(LITLEN_RESULTS + symbol * 4, result(base, extraBits));
    base += 1 << extraBits;
  }
  store<u32>(LITLEN_RESULTS + 285 * 4, result(258, 0));
  for (let symbol: u32 = 286; symbol < 288; symbol++) store<u32>(LITLEN_RESULTS + symbol * 4, <u32>EXCEPTIONAL);

  base = 1;
  for (let symbol: u32 = 0; symbol < 30; symbol++) {
    const extraBits: u32 = symbol < 4 ? 0 : (symbol - 2) >> 1;
    store<u32>(DISTANCE_RESULTS + symbol * 4, result(base, extraBits));
    base += 1 << extraBits;
  }
  for (let symbol: u32 = 30; symbol < 32; symbol++) store<u32>(DISTANCE_RESULTS + symbol * 4, <u32>EXCEPTIONAL);

  for (let symbol: u32 = 0; symbol < 19; symbol++) store<u32>(PRECODE_RESULTS + symbol * 4, result(symbol, 0));
  for (let distance: u32 = 1; distance < 16; distance++) {
    store<u8>(STEPS + distance, <u8>(16 - (16 % distance)));
    for (let byte: u32 = 0; byte < 16; byte++) store<u8>(PATTERNS + distance * 16 + byte, <u8>(byte % distance));
  }
}
