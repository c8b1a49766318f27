import assert from "node:assert/strict";
import { test } from "node:test";
import { constants, deflateRawSync, inflateRawSync, type ZlibOptions } from "node:zlib";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { CompressedInput } from "../../src/blob/compressed-input.ts";
import { DecompressedOutput } from "../../src/blob/decompressed-output.ts";
import { inflate } from "../../src/blob/inflate.ts";
import { Random } from "../model/random.ts";
import { isThorough, third } from "../support/thorough.ts";
import { BitWriter } from "./bit-writer.ts";

/*
 * The inflater is compared with zlib's: what it accepts, what comes out, how much input belongs to it, and what it says
 * of what it refuses.
 */

interface Outcome {
  readonly bytes: Buffer;
  /** How much of the input belonged to the stream. */
  readonly takenBytes: number;
  /** What the input gives next, to its end. */
  readonly rest: Buffer;
  readonly failure: string | undefined;
}

interface Pieces {
  readonly chunkBytes?: number;
  readonly spaceBytes?: number;
}

function inflated(compressed: Uint8Array, { chunkBytes = 1 << 20, spaceBytes = 1 << 16 }: Pieces = {}): Outcome {
  let position = 0;
  const input = new CompressedInput({
    read() {
      const chunk = compressed.subarray(position, position + chunkBytes);
      position += chunk.length;
      return chunk.length === 0 ? undefined : chunk;
    },
  });
  const pieces: Buffer[] = [];
  const space = new Uint8Array(spaceBytes);
  const output = new DecompressedOutput(
    { space: () => space, commit: (length) => pieces.push(Buffer.from(space.subarray(0, length))) },
    {
      limits: { totalBytes: Number.MAX_SAFE_INTEGER, expansionRatio: 2000 },
      readBytes: () => input.takenBytes,
      onBytes: () => {},
    },
  );
  let failure: string | undefined;
  try {
    inflate(input, output);
  } catch (error) {
    if (!isOciUnpackError(error, "CORRUPT_LAYER")) throw error;
    failure = error.message;
  }
  const { takenBytes } = input;
  return { bytes: Buffer.concat(pieces), takenBytes, rest: restOf(input), failure };
}

function restOf(input: CompressedInput): Buffer {
  const pieces: Buffer[] = [];
  for (let chunk = input.peek(); chunk !== undefined; chunk = input.peek()) {
    pieces.push(Buffer.from(chunk));
    input.take(chunk.length);
  }
  return Buffer.concat(pieces);
}

interface Engine {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

const nothing = Buffer.alloc(0);

/** What zlib makes of it. Where it refuses, what it had made before is not to be had. */
function inflatedByZlib(compressed: Uint8Array): Outcome {
  try {
    const { buffer, engine } = inflateRawSync(compressed, { info: true } as ZlibOptions) as unknown as Engine;
    const { bytesWritten: takenBytes } = engine;
    return { bytes: buffer, takenBytes, rest: Buffer.from(compressed.subarray(takenBytes)), failure: undefined };
  } catch (error) {
    assert.ok(error instanceof Error);
    const message =
      error.message === "unexpected end of file" ? "the gzip data ends too early" : `deflate data: ${error.message}`;
    return { bytes: nothing, takenBytes: 0, rest: nothing, failure: `cannot decompress: ${message}` };
  }
}

function assertLikeZlib(
  compressed: Uint8Array,
  what: string,
  pieces?: Pieces,
  expected = inflatedByZlib(compressed),
): void {
  const actual = inflated(compressed, pieces);
  assert.equal(actual.failure, expected.failure, what);
  if (expected.failure !== undefined) return;
  assert.equal(actual.takenBytes, expected.takenBytes, what);
  assert.ok(actual.bytes.equals(expected.bytes), `${what}: other bytes came out`);
  assert.ok(actual.rest.equals(expected.rest), `${what}: other bytes follow the stream`);
}

function randomBytes(length: number, different: number, seed = length): Buffer {
  const random = new Random(seed);
  return Buffer.from(Array.from({ length }, () => random.below(different)));
}

/** Words at random places, so that there are matches of every length and distance. */
function prose(length: number): Buffer {
  const random = new Random(length);
  const words = Array.from({ length: 300 }, (_, index) =>
    randomBytes(1 + Math.floor(random.fraction() ** 3 * 40), 26, index).map((letter) => letter + 97),
  );
  const pieces: Buffer[] = [];
  for (let written = 0; written < length; ) {
    const word = words[Math.floor(random.fraction() ** 2 * words.length)] ?? Buffer.alloc(1);
    pieces.push(Buffer.from(word));
    written += word.length;
  }
  return Buffer.concat(pieces).subarray(0, length);
}

function repeatedEvery(distance: number, length: number): Buffer {
  return Buffer.alloc(length, randomBytes(distance, 256));
}

const contents: Readonly<Record<string, Buffer>> = {
  "no bytes": Buffer.alloc(0),
  "one byte": Buffer.from("a"),
  prose: prose(400_000),
  "random bytes": randomBytes(300_000, 256),
  "digits at random": randomBytes(200_000, 10),
  "one long run": Buffer.alloc(2_000_000, 7),
  "matches as far back as can be": Buffer.concat([
    randomBytes(32768, 256),
    randomBytes(32768, 256),
    prose(70_000),
    randomBytes(32768, 256),
  ]),
  ...Object.fromEntries(
    Array.from({ length: 40 }, (_, index) => [`a pattern of ${index + 1}`, repeatedEvery(index + 1, 3000 + index)]),
  ),
};

const { Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED } = constants;
const strategies = {
  default: Z_DEFAULT_STRATEGY,
  filtered: Z_FILTERED,
  huffman: Z_HUFFMAN_ONLY,
  rle: Z_RLE,
  fixed: Z_FIXED,
};

for (const [name, content] of Object.entries(contents)) {
  test(`${name} comes out of deflate data of every level, strategy and window`, () => {
    for (const level of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) {
      assertLikeZlib(deflateRawSync(content, { level }), `level ${level}`);
    }
    for (const [strategyName, strategy] of Object.entries(strategies)) {
      for (const windowBits of [9, 12, 15]) {
        for (const memLevel of [1, 9]) {
          const compressed = deflateRawSync(content, { strategy, windowBits, memLevel });
          assertLikeZlib(compressed, `strategy ${strategyName}, window ${windowBits}, memory ${memLevel}`);
        }
      }
    }
  });
}

test("the same bytes come out wherever chunks of input and spaces for output end", () => {
  for (const [number, content] of [prose(60_000), randomBytes(40_000, 256), Buffer.alloc(100_000, 1)].entries()) {
    for (const options of [{ level: 0 }, { level: 6 }, { strategy: Z_FIXED }, { level: 9, memLevel: 1 }]) {
      const compressed = deflateRawSync(content, options);
      const expected = inflatedByZlib(compressed);
      for (const chunkBytes of third([1, 2, 3, 5, 7, 8, 13, 31, 32, 33, 61, 127, 257, 1021, 4093, 65536], number)) {
        for (const spaceBytes of [61, 1021, 1 << 20]) {
          assertLikeZlib(
            compressed,
            `${JSON.stringify(options)}, ${chunkBytes}, ${spaceBytes}`,
            { chunkBytes, spaceBytes },
            expected,
          );
        }
      }
    }
  }
});

test("a stream cut anywhere ends too early", () => {
  for (const content of [prose(600), randomBytes(300, 256), Buffer.alloc(500)]) {
    for (const options of [{ level: 0 }, { level: 6 }, { strategy: Z_FIXED }]) {
      const compressed = deflateRawSync(content, options);
      for (const length of third([...compressed.keys()])) {
        const cut = compressed.subarray(0, length);
        const expected = inflatedByZlib(cut);
        assert.equal(expected.failure, "cannot decompress: the gzip data ends too early");
        for (const chunkBytes of [1, 1 << 20]) assertLikeZlib(cut, `cut at ${length}`, { chunkBytes }, expected);
        const { bytes } = inflated(cut);
        assert.ok(bytes.equals(content.subarray(0, bytes.length)), `cut at ${length}: other bytes came out`);
      }
    }
  }
});

test("what follows a stream is left alone", () => {
  const content = prose(3000);
  for (const options of [{ level: 0 }, { level: 6 }, { strategy: Z_FIXED }]) {
    const compressed = deflateRawSync(content, options);
    for (const following of [1, 7, 8, 9, 100]) {
      const bytes = Buffer.concat([compressed, randomBytes(following, 256)]);
      for (const chunkBytes of [1, 3, 8, 64, compressed.length, compressed.length + 1, 1 << 20]) {
        assertLikeZlib(bytes, `${following} bytes, chunks of ${chunkBytes}`, { chunkBytes });
      }
    }
  }
});

test("what follows a stream that ends just after the output was full is left alone", () => {
  for (const full of [288 * 1024, 544 * 1024]) {
    for (let size = full - 16; size <= full + 16; size += 1) {
      const bytes = Buffer.concat([deflateRawSync(Buffer.alloc(size)), Buffer.from("the rest")]);
      assertLikeZlib(bytes, `${size} bytes`);
    }
  }
});

/** How many damaged streams of each kind are tried. */
const rounds = isThorough ? 6000 : 1500;

test("streams with bits changed are refused, or accepted, as zlib does", () => {
  const random = new Random(6);
  const originals = [
    prose(300),
    prose(4000),
    randomBytes(200, 20),
    Buffer.alloc(3000, 5),
    randomBytes(60, 256),
  ].flatMap((content) =>
    [{ level: 0 }, { level: 1 }, { level: 9 }, { strategy: Z_FIXED }, { strategy: Z_HUFFMAN_ONLY }].map((options) =>
      deflateRawSync(content, options),
    ),
  );
  let accepted = 0;
  for (let round = 0; round < rounds; round += 1) {
    const original = originals[round % originals.length] ?? Buffer.alloc(0);
    const changed = Buffer.concat([original, Buffer.alloc(40, round)]);
    for (let changes = 1 + random.below(3); changes > 0; changes -= 1) {
      const place = Math.floor(random.fraction() ** 2 * original.length);
      changed[place] = (changed[place] ?? 0) ^ (1 << random.below(8));
    }
    const chunkBytes = [1, 3, 50, 1 << 20][round % 4] ?? 1;
    const expected = inflatedByZlib(changed);
    if (expected.failure === undefined) accepted += 1;
    assertLikeZlib(changed, `round ${round}: ${changed.toString("hex")}`, { chunkBytes }, expected);
  }
  assert.ok(accepted > rounds / 50, `only ${accepted} were accepted`);
});

test("random bytes are refused, or accepted, as zlib does", () => {
  for (let round = 0; round < rounds; round += 1) {
    const bytes = randomBytes(1 + (round % 400), 256, round);
    // A last block of each kind, now and then.
    if (round % 2 === 0) bytes[0] = ((bytes[0] ?? 0) & 0xf8) | 1 | ((round % 3) << 1);
    assertLikeZlib(bytes, `round ${round}: ${bytes.toString("hex")}`, { chunkBytes: [1, 7, 1 << 20][round % 3] ?? 1 });
  }
});

const LAST = 1;
const STORED = 0;
const FIXED = 1;
const DYNAMIC = 2;

/** The beginning of a last block with these lengths of codes, each of them written in 4 bits, without repeats. */
function dynamicBlock(litlen: readonly number[], distances: readonly number[]): BitWriter {
  const writer = new BitWriter().number(LAST, 1).number(DYNAMIC, 2);
  writer
    .number(litlen.length - 257, 5)
    .number(distances.length - 1, 5)
    .number(15, 4);
  for (const length of [0, 0, 0, ...Array(16).fill(4)]) writer.number(length, 3);
  for (const length of [...litlen, ...distances]) writer.code(length.toString(2).padStart(4, "0"));
  return writer;
}

/** 257 or more code lengths, 0 where nothing else is said. */
function lengths(codes: Readonly<Record<number, number>>, count = 257): number[] {
  return Array.from({ length: count }, (_, symbol) => codes[symbol] ?? 0);
}

/** Codes for two literals and the end, and for lengths of 3 and 258. */
const fourCodes = lengths({ 97: 1, 256: 2, 257: 3, 285: 3 }, 286);

const wrong: Readonly<Record<string, readonly [stream: BitWriter, failure: string]>> = {
  "a block of the fourth type": [new BitWriter().number(LAST, 1).number(3, 2), "invalid block type"],
  "a stored block whose two lengths disagree": [
    new BitWriter().number(LAST, 1).number(STORED, 2).number(0, 5).number(5, 16).number(5, 16),
    "invalid stored block lengths",
  ],
  "287 codes of literals and lengths": [
    dynamicBlock(lengths({ 256: 1 }, 287), [0]),
    "too many length or distance symbols",
  ],
  "31 codes of distances": [
    dynamicBlock(lengths({ 256: 1 }), lengths({ 0: 1 }, 31)),
    "too many length or distance symbols",
  ],
  "too many codes of code lengths": [
    new BitWriter()
      .number(LAST, 1)
      .number(DYNAMIC, 2)
      .number(0, 14)
      .number(1, 3)
      .number(1, 3)
      .number(1, 3)
      .number(1, 3),
    "invalid code lengths set",
  ],
  "too few codes of code lengths": [
    new BitWriter().number(LAST, 1).number(DYNAMIC, 2).number(0, 14).number(1, 3).number(0, 9),
    "invalid code lengths set",
  ],
  "a repeat of no code length": [
    new BitWriter().number(LAST, 1).number(DYNAMIC, 2).number(0, 14).number(1, 3).number(1, 3).number(0, 6).code("0"),
    "invalid bit length repeat",
  ],
  "a repeat beyond the last code": [
    new BitWriter()
      .number(LAST, 1)
      .number(DYNAMIC, 2)
      .number(0, 14)
      .number(0, 3)
      .number(1, 3)
      .number(1, 3)
      .number(0, 3)
      // 138 and 119 zeros are all but one, and then come 11 more.
      .code("1")
      .number(127, 7)
      .code("1")
      .number(108, 7)
      .code("1")
      .number(0, 7),
    "invalid bit length repeat",
  ],
  "no code for the end of the block": [
    dynamicBlock(lengths({ 97: 1, 98: 1 }), [0]),
    "invalid code -- missing end-of-block",
  ],
  "too many codes of literals": [dynamicBlock(lengths({ 97: 1, 98: 1, 256: 1 }), [0]), "invalid literal/lengths set"],
  "too few codes of literals": [dynamicBlock(lengths({ 97: 2, 98: 2, 256: 2 }), [0]), "invalid literal/lengths set"],
  "one code of literals, of two bits": [dynamicBlock(lengths({ 256: 2 }), [0]), "invalid literal/lengths set"],
  "too many codes of distances": [dynamicBlock(fourCodes, [1, 1, 1]), "invalid distances set"],
  "too few codes of distances": [dynamicBlock(fourCodes, [2, 2, 2]), "invalid distances set"],
  "one code of distances, of two bits": [dynamicBlock(fourCodes, [2]), "invalid distances set"],
  "the second of codes where there is one": [
    dynamicBlock(lengths({ 256: 1 }), [0]).code("1"),
    "invalid literal/length code",
  ],
  "length symbol 286": [
    new BitWriter().number(LAST, 1).number(FIXED, 2).code("11000110"),
    "invalid literal/length code",
  ],
  "distance symbol 30": [
    new BitWriter().number(LAST, 1).number(FIXED, 2).code("00110000").code("0000001").code("11110"),
    "invalid distance code",
  ],
  "a distance where there is no code for one": [
    dynamicBlock(fourCodes, [0]).code("0").code("110").code("0"),
    "invalid distance code",
  ],
  "the second of distances where there is one": [
    dynamicBlock(fourCodes, [1]).code("0").code("110").code("1"),
    "invalid distance code",
  ],
  "a distance beyond the first byte": [
    dynamicBlock(fourCodes, [1, 1]).code("0").code("110").code("1"),
    "invalid distance too far back",
  ],
};

for (const [name, [stream, failure]] of Object.entries(wrong)) {
  test(`${name} is refused, at once and where input comes byte by byte`, () => {
    for (const following of [0, 100]) {
      const bytes = Buffer.concat([stream.bytes(), Buffer.alloc(following)]);
      for (const chunkBytes of [1, 1 << 20]) {
        assert.equal(inflated(bytes, { chunkBytes }).failure, `cannot decompress: deflate data: ${failure}`);
        assertLikeZlib(bytes, name, { chunkBytes });
      }
    }
  });
}

test("codes that are there for what is needed only are accepted", () => {
  const streams = {
    "nothing but an end": dynamicBlock(lengths({ 256: 1 }), [0]).code("0"),
    "literals without distances": dynamicBlock(fourCodes, [0]).code("0").code("0").code("10"),
    "one distance": dynamicBlock(fourCodes, [1]).code("0").code("110").code("0").code("111").code("0").code("10"),
    "the longest codes": dynamicBlock(
      lengths({
        0: 1,
        1: 2,
        2: 3,
        3: 4,
        4: 5,
        5: 6,
        6: 7,
        7: 8,
        8: 9,
        9: 10,
        10: 11,
        11: 12,
        12: 13,
        13: 14,
        14: 15,
        256: 15,
      }),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15],
    )
      .code("111111111111110")
      .code("0")
      .code("11111111111110")
      .code("111111111111111"),
  };
  for (const [name, stream] of Object.entries(streams)) {
    for (const following of [0, 100]) {
      const bytes = Buffer.concat([stream.bytes(), Buffer.alloc(following)]);
      assert.equal(inflated(bytes).failure, undefined, name);
      for (const chunkBytes of [1, 1 << 20]) assertLikeZlib(bytes, name, { chunkBytes });
    }
  }
});

test("symbols of as many bits as there can be are decoded one after the other", () => {
  const unary = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, symbol) => [symbol, symbol + 1]));
  const stream = dynamicBlock(
    lengths({ ...unary(14), 256: 15, 284: 15 }, 285),
    lengths({ ...unary(14), 28: 15, 29: 15 }, 30),
  );
  for (let literal = 0; literal < 25_000; literal += 1) stream.code(literal % 7 === 0 ? "10" : "0");
  for (let round = 0; round < 500; round += 1) {
    stream.code("11111111110").code("11111111110"); // 10, twice
    stream.code("111111111111111").number(round % 31, 5); // a length of 227 and more
    stream.code("111111111111110").number((round * 97) % 8192, 13); // a distance of 16385 and more
  }
  const bytes = Buffer.concat([stream.code("111111111111110").bytes(), Buffer.alloc(100)]);
  assert.equal(inflated(bytes).failure, undefined);
  for (const chunkBytes of [1, 61, 1 << 20]) assertLikeZlib(bytes, `chunks of ${chunkBytes}`, { chunkBytes });
});

test("nothing of one stream is seen by the next", () => {
  const secret = deflateRawSync(randomBytes(40_000, 256));
  const reaching = new BitWriter()
    .number(LAST, 1)
    .number(FIXED, 2)
    .code("0000001")
    .code("00000")
    .code("0000000")
    .bytes();
  assert.equal(inflated(secret).failure, undefined);
  assert.equal(inflated(reaching).failure, "cannot decompress: deflate data: invalid distance too far back");
  assert.equal(inflated(secret.subarray(0, 20_000)).failure, "cannot decompress: the gzip data ends too early");
  assertLikeZlib(deflateRawSync(prose(5000)), "after a stream that was cut");
});

test("hundreds of megabytes pass through memory that does not grow", () => {
  const block = Buffer.alloc(1 << 20, prose(50_021));
  const whole = deflateRawSync(block, { finishFlush: constants.Z_FULL_FLUSH });
  const blocks = isThorough ? 1024 : 256;
  let left = blocks;
  const input = new CompressedInput({
    read: () => (left-- > 0 ? whole : left === -1 ? Buffer.from([3, 0]) : undefined),
  });
  const space = new Uint8Array(1 << 19);
  let length = 0;
  const output = new DecompressedOutput(
    {
      space: () => space,
      commit: (bytes) => {
        length += bytes;
      },
    },
    { limits: { totalBytes: 2 ** 40, expansionRatio: 2000 }, readBytes: () => input.takenBytes, onBytes: () => {} },
  );
  const before = process.memoryUsage().rss;
  inflate(input, output);
  assert.equal(length, blocks * block.length);
  assert.ok(process.memoryUsage().rss - before < 100e6);
});
