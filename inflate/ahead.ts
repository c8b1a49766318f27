import { fill, use } from "./bits";
import { writeResults } from "./entry";
import { decodeMany, FAST_INPUT_BYTES } from "./fast";
import { beginSearch, findDynamic, findStored, writeSkips } from "./find";
import { copyStored, readBlockHeader, readLengths, readPrecode } from "./header";
import {
  AHEAD_MEMORY_PAGES,
  HISTORY_BYTES,
  MARKER,
  OUTPUT,
  OUTPUT_FULL,
  PIECE,
  PIECE_BYTES,
  RESULT,
  RESULT_FULL,
  SYMBOL_BYTES,
  SYMBOLS_START,
} from "./memory";
import { decodeOne } from "./slow";
import { BLOCK, ENDED, GOES_ON, LENGTHS, NEEDS_INPUT, OUTPUT_IS_FULL, PRECODE, STORED, State, SYMBOLS } from "./state";

/*
 * Decodes a piece of deflate data whose history is not known yet, from where a block seems to begin in it.
 *
 * As long as anything among the last 32 KiB stands for a byte of that history, the output is written in symbols of 16
 * bits. From then on it is written in bytes, by the decoder that is used otherwise.
 */

if (memory.size() < AHEAD_MEMORY_PAGES && memory.grow(AHEAD_MEMORY_PAGES - memory.size()) < 0) unreachable();
writeResults();
writeSkips();
for (let byte: u32 = 0; byte < 256; byte++) store<u8>(SYMBOL_BYTES + byte, <u8>byte);
for (let at: u32 = 0; at < <u32>HISTORY_BYTES; at++) store<u16>(SYMBOLS_START + at * 2, <u16>(MARKER + at));

export const pieceAddress: usize = PIECE;
export const pieceBytes: usize = PIECE_BYTES;
/** Where the 32 KiB of history are put for `resolve`. */
export const historyAddress: usize = SYMBOL_BYTES + MARKER;
export const resultAddress: usize = RESULT;

/** What begins at a bit: a block with codes of its own; or the length of a stored block; or something else. */
const DYNAMIC: u32 = 0;
const STORED_LENGTH: u32 = 1;
const OTHER: u32 = 2;
const END_OF_STREAM: u32 = 3;

/*
 * What was decoded: from `startBit` to `endBit` of the piece, what begins there, and how much came out: symbols first,
 * then bytes.
 */
export let startBit: u32 = 0;
export let startKind: u32 = DYNAMIC;
export let endBit: u32 = 0;
export let endKind: u32 = OTHER;
export let symbolCount: u32 = 0;
export let byteCount: u32 = 0;
/** How often the piece's data were taken for a block. */
export let attempts: u32 = 0;

/** How many symbols may be decoded in vain in a piece, and how often its data may be taken for a block. */
const WASTED_SYMBOLS: u32 = 1 << 20;
const MOST_ATTEMPTS: u32 = 8192;

let wastedSymbols: u32 = 0;

/**
 * Decodes a piece of `length` bytes: from the first block that begins before bit `limit`, to the first one that begins
 * at `limit` or behind it, or as far as the piece and the memory go. Returns whether there is such a block.
 */
export function decode(length: usize, limit: u32): bool {
  State.inputEnd = PIECE + length;
  wastedSymbols = 0;
  beginSearch();
  let dynamic = findDynamic(0, limit);
  let stored = findStored(0, dynamic);
  for (attempts = 0; attempts < MOST_ATTEMPTS && wastedSymbols < WASTED_SYMBOLS; attempts++) {
    const bit = min(dynamic, stored);
    if (bit >= limit) return false;
    const isStored = stored < dynamic;
    if (decodeFrom(bit, isStored, limit)) return true;
    if (isStored) {
      stored = findStored(stored + 8, dynamic);
    } else {
      dynamic = findDynamic(dynamic + 1, limit);
      stored = findStored(bit, dynamic);
    }
  }
  return false;
}

let blocks: u32 = 0;
let isWide: bool = true;
/** Where the output goes that is written in bytes, and from where on it has not been put there yet. */
let bytesEnd: usize = 0;
let unmoved: usize = 0;

/** Returns whether it came to the end of a block. What turns out to be wrong after a second one counts, too. */
function decodeFrom(bit: u32, isStored: bool, limit: u32): bool {
  begin(bit, isStored);
  let status = GOES_ON;
  while (status === GOES_ON) {
    status = step();
    if (!isWide && status === OUTPUT_IS_FULL) status = GOES_ON;
    if (status !== GOES_ON) break;
    if (!isWide && (State.next === BLOCK || State.output >= OUTPUT_FULL) && !moveBytes()) status = OUTPUT_IS_FULL;
    else if (isWide && State.output >= RESULT_FULL) status = OUTPUT_IS_FULL;
    if (State.next !== BLOCK || status !== GOES_ON) continue;
    endBit = position();
    endBlock(kindOfNext());
    if (endBit >= limit) return true;
    if (isWide && !hasMarkers()) useBytes();
  }
  if (status === ENDED && (isWide || moveBytes())) {
    endBit = position();
    endBlock(END_OF_STREAM);
    return true;
  }
  const isWrong = status !== NEEDS_INPUT && status !== OUTPUT_IS_FULL && status !== ENDED;
  if (blocks > (isWrong ? 1 : 0)) return true;
  wastedSymbols += isWide ? <u32>((State.output - RESULT) >> 1) : <u32>RESULT_FULL;
  return false;
}

function begin(bit: u32, isStored: bool): void {
  startBit = bit;
  startKind = isStored ? STORED_LENGTH : DYNAMIC;
  blocks = 0;
  symbolCount = 0;
  byteCount = 0;
  isWide = true;
  State.output = RESULT;
  State.isLastBlock = false;
  State.bits = 0;
  State.bitCount = 0;
  State.input = PIECE + (bit >> 3);
  if (isStored) {
    State.next = STORED;
    State.storedLeft = <u32>load<u16>(State.input);
    State.input += 4;
  } else {
    State.next = BLOCK;
    fill();
    use(bit & 7);
  }
}

function step(): i32 {
  switch (State.next) {
    case BLOCK:
      return readBlockHeader();
    case STORED:
      return isWide ? copyStored<u16>() : copyStored<u8>();
    case PRECODE:
      return readPrecode();
    case LENGTHS:
      return readLengths();
    case SYMBOLS: {
      const isFast = State.input + FAST_INPUT_BYTES < State.inputEnd;
      if (isWide) return isFast ? decodeMany<u16>() : decodeOne<u16>();
      return isFast ? decodeMany<u8>() : decodeOne<u8>();
    }
    default:
      return ENDED;
  }
}

function endBlock(kind: u32): void {
  blocks++;
  endKind = kind;
  if (isWide) {
    symbolCount = <u32>((State.output - RESULT) >> 1);
  } else {
    byteCount = <u32>(bytesEnd - RESULT) - symbolCount * 2;
  }
}

function position(): u32 {
  return ((<u32>(State.input - PIECE)) << 3) - <u32>State.bitCount;
}

function kindOfNext(): u32 {
  fill();
  if (State.bitCount < 3) return OTHER;
  const header = State.bits & 7;
  if (header === 4) return DYNAMIC;
  return header === 0 ? STORED_LENGTH : OTHER;
}

/** Whether any of the last 32 Ki symbols stands for a byte that is not known yet. */
function hasMarkers(): bool {
  const start = State.output - HISTORY_BYTES * 2;
  if (start < RESULT) return true;
  const marker = i16x8.splat(<i16>MARKER);
  for (let at = State.output - 16; at >= start; at -= 16) {
    if (v128.any_true(v128.and(v128.load(at), marker))) return true;
  }
  return false;
}

function useBytes(): void {
  narrow(OUTPUT, State.output - HISTORY_BYTES * 2, HISTORY_BYTES);
  bytesEnd = State.output;
  State.output = OUTPUT + HISTORY_BYTES;
  unmoved = State.output;
  isWide = false;
}

/** Moves what came out in bytes to the result. Returns whether there was space for it. */
function moveBytes(): bool {
  const length = State.output - unmoved;
  if (bytesEnd + length > RESULT_FULL) return false;
  memory.copy(bytesEnd, unmoved, length);
  bytesEnd += length;
  if (State.output >= OUTPUT_FULL) {
    memory.copy(OUTPUT, State.output - HISTORY_BYTES, HISTORY_BYTES);
    State.output = OUTPUT + HISTORY_BYTES;
  }
  unmoved = State.output;
  return true;
}

/** Makes bytes of the symbols, from the result's beginning on. */
export function resolve(): void {
  narrow(RESULT, RESULT, symbolCount);
}

/** Writes the bytes for `count` symbols. They may be written over the symbols themselves. */
function narrow(bytes: usize, symbols: usize, count: usize): void {
  const marker = i16x8.splat(<i16>MARKER);
  const end = symbols + count * 2;
  let to = bytes;
  let from = symbols;
  for (; from + 32 <= end; from += 32) {
    const first = v128.load(from);
    const second = v128.load(from, 16);
    if (v128.any_true(v128.and(v128.or(first, second), marker))) {
      for (let at: usize = 0; at < 16; at++) store<u8>(to + at, byteOf(from + at * 2));
    } else {
      v128.store(to, i8x16.narrow_i16x8_u(first, second));
    }
    to += 16;
  }
  for (; from < end; from += 2) store<u8>(to++, byteOf(from));
}

function byteOf(symbol: usize): u8 {
  return load<u8>(SYMBOL_BYTES + load<u16>(symbol));
}
