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
