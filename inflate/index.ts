import { giveBack } from "./bits";
import { writeResults } from "./entry";
import { decodeMany, FAST_INPUT_BYTES } from "./fast";
import { copyStored, readBlockHeader, readLengths, readPrecode } from "./header";
import { HISTORY_BYTES, INPUT, INPUT_BYTES, MEMORY_PAGES, OUTPUT, OUTPUT_FULL } from "./memory";
import { decodeOne } from "./slow";
import { AT_BLOCK, BLOCK, ENDED, GOES_ON, LENGTHS, OUTPUT_IS_FULL, PRECODE, STORED, State, SYMBOLS } from "./state";

if (memory.size() < MEMORY_PAGES && memory.grow(MEMORY_PAGES - memory.size()) < 0) unreachable();
writeResults();

export const inputAddress: usize = INPUT;
export const inputBytes: usize = INPUT_BYTES;

/** The first byte of what came out. The last 32 KiB before `outputEnd`, or all if there are fewer, are the history. */
export const outputAddress: usize = OUTPUT;

let stopsAtBlocks: bool = false;

/** Forgets everything, for a new stream. Says whether a run ends where a block has ended, too. */
export function reset(stopAtBlocks: bool): void {
  stopsAtBlocks = stopAtBlocks;
  resume(0, 0, 0);
}

/**
 * Goes on at the beginning of a block, after so many bytes of history, which lie at `outputAddress`. These are the bits
 * of a byte whose other ones belong to the block before, the first one lowest.
 */
export function resume(historyBytes: usize, bits: u32, bitCount: u32): void {
  State.next = BLOCK;
  State.isLastBlock = false;
  State.bits = bits;
  State.bitCount = bitCount;
  State.input = INPUT;
  State.inputEnd = INPUT;
  State.output = OUTPUT + historyBytes;
  start = State.output;
}

/** Says that new input lies there, after all of it before was used. */
export function supply(length: usize): void {
  State.input = INPUT;
  State.inputEnd = INPUT + length;
}

/**
 * How much of what was supplied is used. A run that needs input has used all of it, for whatever is in the bit buffer then
 * belongs to the stream. After any other run nothing counts that is only in the bit buffer: the stream may end before it.
 * So this number never becomes smaller.
 */
export function usedBytes(): usize {
  return State.input - INPUT;
}

let start: usize = OUTPUT;

/** How many bits of what is used belong to what comes next: less than 8, unless a run needs input. */
export function pendingBitCount(): u32 {
  return <u32>State.bitCount;
}

export function pendingBits(): u32 {
  return <u32>State.bits;
}

export function outputStart(): usize {
  return start;
}

export function outputEnd(): usize {
  return State.output;
}

/** Decompresses until it needs input, or what came out has to be taken away, or the stream ends, or is wrong. */
export function run(): i32 {
  if (State.output >= OUTPUT_FULL) keepHistory();
  start = State.output;
  let status = GOES_ON;
  while (status === GOES_ON) {
    status = step();
    if (status !== GOES_ON) break;
    if (stopsAtBlocks && State.next === BLOCK) status = AT_BLOCK;
    else if (State.output >= OUTPUT_FULL) status = OUTPUT_IS_FULL;
  }
  if (status === OUTPUT_IS_FULL || status === ENDED || status === AT_BLOCK) giveBack();
  return status;
}

function step(): i32 {
  switch (State.next) {
    case BLOCK:
      return readBlockHeader();
    case STORED:
      return copyStored<u8>();
    case PRECODE:
      return readPrecode();
    case LENGTHS:
      return readLengths();
    case SYMBOLS:
      return State.input + FAST_INPUT_BYTES < State.inputEnd ? decodeMany<u8>() : decodeOne<u8>();
    default:
      return ENDED;
  }
}

function keepHistory(): void {
  memory.copy(OUTPUT, State.output - HISTORY_BYTES, HISTORY_BYTES);
  State.output = OUTPUT + HISTORY_BYTES;
}
