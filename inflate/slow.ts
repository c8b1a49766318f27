import { fill, use } from "./bits";
import { END_OF_BLOCK, EXCEPTIONAL, LITERAL, SUBTABLE } from "./entry";
import { endBlock } from "./header";
import { DISTANCE_TABLE, DISTANCE_TABLE_BITS, LITLEN_TABLE, LITLEN_TABLE_BITS, outputStart } from "./memory";
import { GOES_ON, NEEDS_INPUT, State, TOO_FAR_BACK, WRONG_DISTANCE_SYMBOL, WRONG_LITLEN_SYMBOL } from "./state";

/**
 * Decodes one symbol, and its distance where it has one, where the input may end within it. Nothing of it is used unless
 * all of it is there: up to 15 + 5 + 15 + 13 bits.
 */
export function decodeOne<Unit>(): i32 {
  fill();
  let bits = State.bits;
  let left = State.bitCount;

  let entry = <u64>load<u32>(LITLEN_TABLE + ((<usize>(bits & ((1 << LITLEN_TABLE_BITS) - 1))) << 2));
  if (entry & SUBTABLE && entry & EXCEPTIONAL) {
    if (left <= LITLEN_TABLE_BITS) return NEEDS_INPUT;
    bits >>= LITLEN_TABLE_BITS;
    left -= LITLEN_TABLE_BITS;
    entry = inSubtable(LITLEN_TABLE, entry, bits);
  }
  let used = entry & 63;
  if (used > left) return NEEDS_INPUT;
  if (entry & LITERAL) {
    store<Unit>(State.output, <Unit>((entry >> 16) & 255));
    State.output += sizeof<Unit>();
    use(State.bitCount - left + used);
    return GOES_ON;
  }
  if (entry & EXCEPTIONAL) {
    if ((entry & END_OF_BLOCK) === 0) return WRONG_LITLEN_SYMBOL;
    use(State.bitCount - left + used);
    return endBlock();
  }
  const length = value(entry, bits);
  bits >>= used;
  left -= used;

  entry = <u64>load<u32>(DISTANCE_TABLE + ((<usize>(bits & ((1 << DISTANCE_TABLE_BITS) - 1))) << 2));
  if (entry & SUBTABLE && entry & EXCEPTIONAL) {
    if (left <= DISTANCE_TABLE_BITS) return NEEDS_INPUT;
    bits >>= DISTANCE_TABLE_BITS;
    left -= DISTANCE_TABLE_BITS;
    entry = inSubtable(DISTANCE_TABLE, entry, bits);
  }
  used = entry & 63;
  if (used > left) return NEEDS_INPUT;
  if (entry & EXCEPTIONAL) return WRONG_DISTANCE_SYMBOL;
  const distance = value(entry, bits);
  use(State.bitCount - left + used);
  return repeat<Unit>(length * sizeof<Unit>(), distance * sizeof<Unit>());
}

function inSubtable(table: usize, entry: u64, bits: u64): u64 {
  const index = <usize>(entry >> 16) + <usize>(bits & (((<u64>1) << ((entry >> 8) & 15)) - 1));
  return <u64>load<u32>(table + (index << 2));
}

function value(entry: u64, bits: u64): usize {
  return <usize>(entry >> 16) + <usize>((bits & (((<u64>1) << (entry & 63)) - 1)) >> (((entry >> 8) & 31) - 2));
}

function repeat<Unit>(length: usize, distance: usize): i32 {
  let output = State.output;
  if (distance > output - outputStart<Unit>()) return TOO_FAR_BACK;
  const end = output + length;
  for (; output < end; output += sizeof<Unit>()) store<Unit>(output, load<Unit>(output - distance));
  State.output = end;
  return GOES_ON;
}
