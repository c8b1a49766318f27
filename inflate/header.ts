import { fill, giveBack, use } from "./bits";
import {
  CODE_LENGTHS,
  DISTANCE_RESULTS,
  DISTANCE_TABLE,
  DISTANCE_TABLE_BITS,
  LITLEN_RESULTS,
  LITLEN_TABLE,
  LITLEN_TABLE_BITS,
  outputFull,
  PRECODE_LENGTHS,
  PRECODE_RESULTS,
  PRECODE_TABLE,
  PRECODE_TABLE_BITS,
} from "./memory";
import {
  BLOCK,
  DONE,
  ENDED,
  GOES_ON,
  LENGTHS,
  NEEDS_INPUT,
  NO_END_OF_BLOCK,
  OUTPUT_IS_FULL,
  PRECODE,
  STORED,
  State,
  SYMBOLS,
  WRONG_BLOCK_TYPE,
  WRONG_COUNTS,
  WRONG_DISTANCE_CODE,
  WRONG_LITLEN_CODE,
  WRONG_PRECODE,
  WRONG_REPEAT,
  WRONG_STORED_LENGTH,
} from "./state";
import { buildTable, COMPLETE, WRONG } from "./table";

/** The order in which the lengths of the code lengths' codes come (RFC 1951, section 3.2.7). */
const PRECODE_ORDER = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);

/** A block's first bits (RFC 1951, section 3.2.3). */
export function readBlockHeader(): i32 {
  fill();
  if (State.bitCount < 3) return NEEDS_INPUT;
  const isLast = (State.bits & 1) !== 0;
  switch (<i32>((State.bits >> 1) & 3)) {
    case 0: {
      const padding = (State.bitCount - 3) & 7;
      if (State.bitCount < 3 + padding + 32) return NEEDS_INPUT;
      const lengths = <u32>(State.bits >> (3 + padding));
      if ((lengths & 0xffff) !== ~lengths >>> 16) return WRONG_STORED_LENGTH;
      use(3 + padding + 32);
      giveBack();
      State.storedLeft = lengths & 0xffff;
      State.next = STORED;
      break;
    }
    case 1:
      use(3);
      useFixedTables();
      State.next = SYMBOLS;
      break;
    case 2: {
      if (State.bitCount < 17) return NEEDS_INPUT;
      State.litlenCodes = 257 + <u32>((State.bits >> 3) & 31);
      State.distanceCodes = 1 + <u32>((State.bits >> 8) & 31);
      State.precodeCodes = 4 + <u32>((State.bits >> 13) & 15);
      if (State.litlenCodes > 286 || State.distanceCodes > 30) return WRONG_COUNTS;
      use(17);
      memory.fill(PRECODE_LENGTHS, 0, 19);
      State.codesRead = 0;
      State.next = PRECODE;
      break;
    }
    default:
      return WRONG_BLOCK_TYPE;
  }
  State.isLastBlock = isLast;
  return GOES_ON;
}

export function endBlock(): i32 {
  State.next = State.isLastBlock ? DONE : BLOCK;
  return State.isLastBlock ? ENDED : GOES_ON;
}

export function copyStored<Unit>(): i32 {
  const space = (outputFull<Unit>() - State.output) / sizeof<Unit>();
  const length = min<usize>(State.storedLeft, min(State.inputEnd - State.input, space));
  if (sizeof<Unit>() === 1) memory.copy(State.output, State.input, length);
  else for (let at: usize = 0; at < length; at++) store<Unit>(State.output + at * 2, load<u8>(State.input + at));
  State.input += length;
  State.output += length * sizeof<Unit>();
  State.storedLeft -= <u32>length;
  if (State.storedLeft === 0) return endBlock();
  return State.input === State.inputEnd ? NEEDS_INPUT : OUTPUT_IS_FULL;
}

function useFixedTables(): void {
  if (State.hasFixedTables) return;
  memory.fill(CODE_LENGTHS, 8, 144);
  memory.fill(CODE_LENGTHS + 144, 9, 112);
  memory.fill(CODE_LENGTHS + 256, 7, 24);
  memory.fill(CODE_LENGTHS + 280, 8, 8);
  buildTable(LITLEN_TABLE, LITLEN_TABLE_BITS, CODE_LENGTHS, 288, LITLEN_RESULTS);
  memory.fill(CODE_LENGTHS, 5, 32);
  buildTable(DISTANCE_TABLE, DISTANCE_TABLE_BITS, CODE_LENGTHS, 32, DISTANCE_RESULTS);
  State.hasFixedTables = true;
}

/** The lengths of the codes that the code lengths are written in. */
export function readPrecode(): i32 {
  while (State.codesRead < State.precodeCodes) {
    fill();
    if (State.bitCount < 3) return NEEDS_INPUT;
    store<u8>(PRECODE_LENGTHS + load<u8>(PRECODE_ORDER + State.codesRead), <u8>(State.bits & 7));
    use(3);
    State.codesRead++;
  }
  if (buildTable(PRECODE_TABLE, PRECODE_TABLE_BITS, PRECODE_LENGTHS, 19, PRECODE_RESULTS) !== COMPLETE) {
    return WRONG_PRECODE;
  }
  State.codesRead = 0;
  State.next = LENGTHS;
  return GOES_ON;
}

/** The lengths of the codes of literals and lengths, and of distances, and their tables. */
export function readLengths(): i32 {
  const codes = State.litlenCodes + State.distanceCodes;
  let read = State.codesRead;
  while (read < codes) {
    if (State.bitCount < 14) fill();
    const bits = State.bits;
    const entry = load<u32>(PRECODE_TABLE + ((<usize>(bits & 127)) << 2));
    const codeBits = <u64>(entry & 7);
    const symbol = entry >> 16;
    const extraBits: u64 = symbol < 16 ? 0 : symbol === 16 ? 2 : symbol === 17 ? 3 : 7;
    if (codeBits + extraBits > State.bitCount) {
      State.codesRead = read;
      return NEEDS_INPUT;
    }
    use(codeBits + extraBits);
    if (symbol < 16) {
      store<u8>(CODE_LENGTHS + read, <u8>symbol);
      read++;
      continue;
    }
    const extra = <u32>(bits >> codeBits) & ((1 << (<u32>extraBits)) - 1);
    const repeats = symbol === 18 ? 11 + extra : 3 + extra;
    if (read + repeats > codes) return WRONG_REPEAT;
    let length: u8 = 0;
    if (symbol === 16) {
      if (read === 0) return WRONG_REPEAT;
      length = load<u8>(CODE_LENGTHS + read - 1);
    }
    memory.fill(CODE_LENGTHS + read, length, repeats);
    read += repeats;
  }
  return buildTables();
}

function buildTables(): i32 {
  if (load<u8>(CODE_LENGTHS + 256) === 0) return NO_END_OF_BLOCK;
  State.hasFixedTables = false;
  const distanceLengths = CODE_LENGTHS + State.litlenCodes;
  if (buildTable(LITLEN_TABLE, LITLEN_TABLE_BITS, CODE_LENGTHS, State.litlenCodes, LITLEN_RESULTS) === WRONG) {
    return WRONG_LITLEN_CODE;
  }
  if (
    buildTable(DISTANCE_TABLE, DISTANCE_TABLE_BITS, distanceLengths, State.distanceCodes, DISTANCE_RESULTS) === WRONG
  ) {
    return WRONG_DISTANCE_CODE;
  }
  State.next = SYMBOLS;
  return GOES_ON;
}
