import { State } from "./state";

/**
 * Takes bits from the input: at least 48, or all there are. Whoever then finds too few for what it reads, leaves all of
 * them where they are and begins anew with more input; so nothing is ever taken that belongs to what follows the stream.
 */
export function fill(): void {
  let count = State.bitCount;
  if (count >= 48) return;
  let input = State.input;
  if (input + 8 <= State.inputEnd) {
    State.bits |= load<u64>(input) << count;
    const bytes = (55 - count) >> 3;
    State.input = input + <usize>bytes;
    count += bytes << 3;
    State.bits &= ((<u64>1) << count) - 1;
    State.bitCount = count;
    return;
  }
  while (count < 48 && input < State.inputEnd) {
    State.bits |= (<u64>load<u8>(input)) << count;
    input++;
    count += 8;
  }
  State.input = input;
  State.bitCount = count;
}

export function use(count: u64): void {
  State.bits >>= count;
  State.bitCount -= count;
}

/** Whole bytes go back to the input. */
export function giveBack(): void {
  State.input -= <usize>(State.bitCount >> 3);
  State.bitCount &= 7;
  State.bits &= ((<u64>1) << State.bitCount) - 1;
}
