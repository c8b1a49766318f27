/*
 * Where everything lies in the module's memory, whose size never changes:
 *
 *   2048  │ symbols' results │ literal/length table │ distance table │ lengths' table │ code lengths │ scratch │
 *   64 Ki │ input                                                                                            │
 *  192 Ki │ output: 32 KiB of history │ what one run makes                                          │ slack  │
 *
 * The slack is what a match and the wide stores of its copy may reach beyond the end.
 */

/** What the symbols mean, without their codes: see entry.ts. */
export const LITLEN_RESULTS: usize = 2048;
export const DISTANCE_RESULTS: usize = LITLEN_RESULTS + 288 * 4;
export const PRECODE_RESULTS: usize = DISTANCE_RESULTS + 32 * 4;

export const LITLEN_TABLE_BITS: u32 = 11;
export const DISTANCE_TABLE_BITS: u32 = 8;
export const PRECODE_TABLE_BITS: u32 = 7;

/** 2342 entries is the most that 288 codes of up to 15 bits need with 11 in the first step (zlib's `enough 288 11 15`). */
export const LITLEN_TABLE: usize = 4096;
/** 402 entries: `enough 32 8 15`. */
export const DISTANCE_TABLE: usize = LITLEN_TABLE + 2400 * 4;
export const PRECODE_TABLE: usize = DISTANCE_TABLE + 416 * 4;
/** The lengths of the codes, one byte each, of literals, lengths and distances; a run may not go beyond 286 + 30. */
export const CODE_LENGTHS: usize = PRECODE_TABLE + 128 * 4 + 64;
export const PRECODE_LENGTHS: usize = CODE_LENGTHS + 320;
export const LENGTH_COUNTS: usize = PRECODE_LENGTHS + 32;
export const LENGTH_OFFSETS: usize = LENGTH_COUNTS + 64;
export const SORTED_SYMBOLS: usize = LENGTH_OFFSETS + 64;
/** For each distance below 16, which of 16 bytes repeat it. */
export const PATTERNS: usize = 24 * 1024;

/** And how many of them, so that what follows repeats them from their beginning. */
export const STEPS: usize = PATTERNS + 256;

export const INPUT: usize = 64 * 1024;
export const INPUT_BYTES: usize = 128 * 1024;

export const HISTORY_BYTES: usize = 32 * 1024;
export const OUTPUT: usize = INPUT + INPUT_BYTES;
export const OUTPUT_BYTES: usize = 256 * 1024;
/** A run ends when it has come this far. */
export const OUTPUT_FULL: usize = OUTPUT + HISTORY_BYTES + OUTPUT_BYTES;
export const MEMORY_PAGES: i32 = 10;

/*
 * The module that decodes ahead (ahead.ts) has more behind it. There the output is first written in symbols of 16 bits:
 * below 256 a byte; from `MARKER` on, a byte of the 32 KiB before the piece, which are not known yet.
 *
 *   ▲ all of the above │ bytes of symbols │ a piece of the input │ symbols: 32 Ki markers │ what is decoded │ slack │
 */
export const MARKER: u32 = 0x8000;

/** For each symbol, its byte. */
export const SYMBOL_BYTES: usize = (<usize>MEMORY_PAGES) << 16;
/** For each 13 bits of input, how far behind the first of them a block may begin. */
export const SKIPS: usize = SYMBOL_BYTES + 64 * 1024;
export const SKIP_BITS: u32 = 13;

export const PIECE: usize = SKIPS + 64 * 1024;
export const PIECE_BYTES: usize = 1280 * 1024;

export const SYMBOLS_START: usize = PIECE + PIECE_BYTES + 64;
export const RESULT: usize = SYMBOLS_START + HISTORY_BYTES * 2;
export const RESULT_BYTES: usize = 16 * 1024 * 1024;
/** A match may reach 516 bytes beyond, and a copy 32 more. */
export const RESULT_FULL: usize = RESULT + RESULT_BYTES;
export const AHEAD_MEMORY_PAGES: i32 = <i32>((RESULT_FULL + 1024 + 0xffff) >> 16);

export function outputStart<Unit>(): usize {
  return sizeof<Unit>() === 1 ? OUTPUT : SYMBOLS_START;
}

export function outputFull<Unit>(): usize {
  return sizeof<Unit>() === 1 ? OUTPUT_FULL : RESULT_FULL;
}
