import { END_OF_BLOCK, EXCEPTIONAL, LITERAL, SUBTABLE } from "./entry";
import { endBlock } from "./header";
import {
  DISTANCE_TABLE,
  DISTANCE_TABLE_BITS,
  LITLEN_TABLE,
  LITLEN_TABLE_BITS,
  outputFull,
  outputStart,
  PATTERNS,
  STEPS,
} from "./memory";
import { BLOCK_ENDED, GOES_ON, State, TOO_FAR_BACK, WRONG_DISTANCE_SYMBOL, WRONG_LITLEN_SYMBOL } from "./state";

/** How much input a round of the loop may take and look at, at most. */
export const FAST_INPUT_BYTES: usize = 32;

const LITLEN_MASK: u64 = ((1 << LITLEN_TABLE_BITS) - 1) << 2;
const DISTANCE_MASK: u64 = ((1 << DISTANCE_TABLE_BITS) - 1) << 2;

function litlenEntry(bits: u64): u64 {
  return <u64>load<u32>(<usize>(bits & LITLEN_MASK), LITLEN_TABLE);
}

/** An entry says for both shifts how far, counted from place 0. */
function value(entry: u64, bits: u64): usize {
  return <usize>(entry >> 16) + <usize>((bits & ~((<u64>-4) << entry)) >> (entry >> 8));
}

/**
 * Decodes symbols while there is so much input, and so much space for output, that a round need not look for their ends.
 *
 * All of it is in local variables, which is why it is one function. `bits` has the next bit of the input at place 2, where
 * the index of an entry of 4 bytes begins; what is below is of no meaning. `count` is the place after the last bit that
 * counts, in its lowest 6 bits; what is above them is of no meaning, so that entries can be subtracted as they are. Bits
 * from that place on are those that the next refill brings anyway. A refill leaves 54 bits at least.
 *
 * What comes out are bytes, or symbols of 16 bits (see memory.ts).
 */
export function decodeMany<Unit>(): i32 {
  let bits = State.bits << 2;
  let count = State.bitCount + 2;
  let input = State.input;
  let output = State.output;
  const lastInput = State.inputEnd - FAST_INPUT_BYTES;
  let status = GOES_ON;

  bits |= load<u64>(input) << count;
  input += <usize>(~count >> 3) & 7;
  count |= 56;
  let entry = litlenEntry(bits);
  while (true) {
    // Up to 3 literals of at most 11 bits each, or 2 and a length: 22 + 20 bits of 54.
    if (entry & LITERAL) {
      bits >>= entry;
      count -= entry;
      store<Unit>(output, <Unit>((entry >> 16) & 255));
      output += sizeof<Unit>();
      entry = litlenEntry(bits);
      if (entry & LITERAL) {
        bits >>= entry;
        count -= entry;
        store<Unit>(output, <Unit>((entry >> 16) & 255));
        output += sizeof<Unit>();
        entry = litlenEntry(bits);
        if (entry & LITERAL) {
          bits >>= entry;
          count -= entry;
          store<Unit>(output, <Unit>((entry >> 16) & 255));
          output += sizeof<Unit>();
          bits |= load<u64>(input) << count;
          input += <usize>(~count >> 3) & 7;
          count |= 56;
          entry = litlenEntry(bits);
          if (input < lastInput && output < outputFull<Unit>()) continue;
          break;
        }
      }
    }
    if (entry & EXCEPTIONAL) {
      if (entry & SUBTABLE) {
        bits >>= LITLEN_TABLE_BITS;
        count -= LITLEN_TABLE_BITS;
        const index = <usize>(entry >> 16) + <usize>((bits >> 2) & ~((<u64>-1) << ((entry >> 8) & 15)));
        entry = <u64>load<u32>(index << 2, LITLEN_TABLE);
        if (entry & LITERAL) {
          bits >>= entry;
          count -= entry;
          store<Unit>(output, <Unit>((entry >> 16) & 255));
          output += sizeof<Unit>();
          bits |= load<u64>(input) << count;
          input += <usize>(~count >> 3) & 7;
          count |= 56;
          entry = litlenEntry(bits);
          if (input < lastInput && output < outputFull<Unit>()) continue;
          break;
        }
      }
      if (entry & EXCEPTIONAL) {
        bits >>= entry;
        count -= entry;
        status = entry & END_OF_BLOCK ? BLOCK_ENDED : WRONG_LITLEN_SYMBOL;
        break;
      }
    }
    const length = value(entry, bits) * sizeof<Unit>();
    bits >>= entry;
    count -= entry;

    // There are 12 bits left at least: enough for the first step, but a distance has up to 28.
    entry = <u64>load<u32>(<usize>(bits & DISTANCE_MASK), DISTANCE_TABLE);
    if ((count & 63) < 30) {
      bits |= load<u64>(input) << count;
      input += <usize>(~count >> 3) & 7;
      count |= 56;
    }
    if (entry & EXCEPTIONAL) {
      if (entry & SUBTABLE) {
        bits >>= DISTANCE_TABLE_BITS;
        count -= DISTANCE_TABLE_BITS;
        const index = <usize>(entry >> 16) + <usize>((bits >> 2) & ~((<u64>-1) << ((entry >> 8) & 15)));
        entry = <u64>load<u32>(index << 2, DISTANCE_TABLE);
      }
      if (entry & EXCEPTIONAL) {
        status = WRONG_DISTANCE_SYMBOL;
        break;
      }
    }
    const distance = value(entry, bits) * sizeof<Unit>();
    bits >>= entry;
    count -= entry;
    if (distance > output - outputStart<Unit>()) {
      status = TOO_FAR_BACK;
      break;
    }
    bits |= load<u64>(input) << count;
    input += <usize>(~count >> 3) & 7;
    count |= 56;
    entry = litlenEntry(bits);

    repeat(output, distance, length);
    output += length;
    if (input >= lastInput || output >= outputFull<Unit>()) break;
  }

  State.bitCount = (count & 63) - 2;
  State.bits = (bits & ~((<u64>-1) << count)) >> 2;
  State.input = input;
  State.output = output;
  return status === BLOCK_ENDED ? endBlock() : status;
}

/** Copies 16 bytes at a time, and beyond the end: what is there is written later. */
function repeat(output: usize, distance: usize, length: usize): void {
  const end = output + length;
  let from = output - distance;
  if (distance < 16) return repeatPattern(output, distance, end);
  v128.store(output, v128.load(from));
  v128.store(output, v128.load(from, 16), 16);
  while (output + 32 < end) {
    output += 32;
    from += 32;
    v128.store(output, v128.load(from));
    v128.store(output, v128.load(from, 16), 16);
  }
}

/** What is copied overlaps with its copy within 16 bytes. */
function repeatPattern(start: usize, distance: usize, end: usize): void {
  const pattern = v128.swizzle(v128.load(start - distance), v128.load(distance << 4, PATTERNS));
  const step = <usize>load<u8>(distance, STEPS);
  for (let output = start; output < end; output += step) v128.store(output, pattern);
}
