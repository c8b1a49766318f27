import { INPUT, OUTPUT } from "./memory";

/** What comes next. */
export const BLOCK: i32 = 0;
export const STORED: i32 = 1;
export const PRECODE: i32 = 2;
export const LENGTHS: i32 = 3;
export const SYMBOLS: i32 = 4;
export const DONE: i32 = 5;

/** What a run, or a step of it, came to. */
export const NEEDS_INPUT: i32 = 0;
export const OUTPUT_IS_FULL: i32 = 1;
export const ENDED: i32 = 2;
export const GOES_ON: i32 = 3;
export const BLOCK_ENDED: i32 = 4;
export const AT_BLOCK: i32 = 5;
/** And from here on, what is wrong. */
export const WRONG_BLOCK_TYPE: i32 = 10;
export const WRONG_STORED_LENGTH: i32 = 11;
export const WRONG_COUNTS: i32 = 12;
export const WRONG_PRECODE: i32 = 13;
export const WRONG_REPEAT: i32 = 14;
export const NO_END_OF_BLOCK: i32 = 15;
export const WRONG_LITLEN_CODE: i32 = 16;
export const WRONG_DISTANCE_CODE: i32 = 17;
export const WRONG_LITLEN_SYMBOL: i32 = 18;
export const WRONG_DISTANCE_SYMBOL: i32 = 19;
export const TOO_FAR_BACK: i32 = 20;

// biome-ignore lint/complexity/noStaticOnlyClass: these are global variables, and a module may only assign to its own.
export class State {
  static next: i32 = BLOCK;
  static isLastBlock: bool = false;
  /** Bits taken from the input and not used yet, the first one lowest; those above `bitCount` are 0. */
  static bits: u64 = 0;
  static bitCount: u64 = 0;
  static input: usize = INPUT;
  static inputEnd: usize = INPUT;
  static output: usize = OUTPUT;
  /** Of a stored block. */
  static storedLeft: u32 = 0;
  static litlenCodes: u32 = 0;
  static distanceCodes: u32 = 0;
  static precodeCodes: u32 = 0;
  static codesRead: u32 = 0;
  /** The tables are those of fixed codes (RFC 1951, section 3.2.6). */
  static hasFixedTables: bool = false;
}
