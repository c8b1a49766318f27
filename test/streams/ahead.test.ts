import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync, gzipSync } from "node:zlib";
import { AheadDecoder } from "../../src/blob/ahead-decoder.ts";
import { usualSizes } from "../../src/blob/ahead-sizes.ts";
import type { AheadThread } from "../../src/blob/ahead-thread.ts";
import { CompressedInput } from "../../src/blob/compressed-input.ts";
import { decompress } from "../../src/blob/decompressed.ts";
import { DecompressedOutput } from "../../src/blob/decompressed-output.ts";
import { FramesAhead } from "../../src/blob/frames-ahead.ts";
import { PiecesAhead } from "../../src/blob/pieces-ahead.ts";
import { ReadAhead } from "../../src/blob/read-ahead.ts";
import type { ByteSource } from "../../src/tar/entry.ts";
import { BitWriter } from "../blob/bit-writer.ts";
import { Random } from "../model/random.ts";
import { corpus, corpusArchive } from "../support/tar-corpus.ts";
import { half, isThorough, third } from "../support/thorough.ts";
import { skipWithout } from "../support/tools.ts";
import { randomSizes, readAhead } from "./ahead.ts";
import { body } from "./bodies.ts";
import { damaged, differenceBetween } from "./damaged.ts";
import { aheadCounts, type Kind, problemsOfStreams } from "./generator.ts";
import { gzipped } from "./gzip-member.ts";
import { outcomeOf } from "./reading.ts";
import { repeatedFrame, storedFrame } from "./zstd-frames.ts";

/**
 * OCI_UNPACK_STREAMS=100000 reads as many streams of each kind, of which three in ten are cut or damaged, at all sizes of
 * pieces and batches. It takes half an hour of a processor.
 */
const wanted = process.env.OCI_UNPACK_STREAMS;

/** Data in which a block may begin at most bits, until the lengths of its codes are added up; and then blocks. */
function pieceWithBlocksBehind(hostileBytes: number, piece: Uint8Array): number {
  const hostile = Buffer.alloc(hostileBytes, Buffer.from("15e34c603a9f4938", "hex"));
  const bytes = Buffer.concat([hostile, deflateRawSync(body("text", 200_000), { memLevel: 2 })]);
  piece.set(bytes);
  return bytes.length;
}

test("a search in which each bit may begin a block ends before the piece does", () => {
  const decoder = new AheadDecoder();
  for (const [hostileBytes, isFound] of [
    [1000, true],
    [1_000_000, false],
  ] as const) {
    const length = pieceWithBlocksBehind(hostileBytes, decoder.piece);
    assert.equal(decoder.decode(length, length * 8) !== undefined, isFound);
    assert.ok(decoder.attempts < 100, `${decoder.attempts} attempts`);
  }
});

/** A block that comes to 129,000 bytes, and what is no block behind it. */
function blockAndNone(): Buffer {
  const lengths = Array.from({ length: 286 }, (_, symbol) => ({ 97: 1, 256: 2, 257: 3, 285: 3 })[symbol] ?? 0);
  const writer = new BitWriter().number(0, 1).number(2, 2);
  writer
    .number(286 - 257, 5)
    .number(2 - 1, 5)
    .number(15, 4);
  for (const length of [0, 0, 0, ...Array(16).fill(4)]) writer.number(length, 3);
  for (const length of [...lengths, 1, 1]) writer.code(length.toString(2).padStart(4, "0"));
  for (let match = 0; match < 500; match += 1) writer.code("111").code("0"); // of 258 bytes, one byte back
  return writer.code("10").number(7, 3).bytes();
}

test("a thread gives up a piece of which much is decoded in vain", () => {
  const decoder = new AheadDecoder();
  const bytes = Buffer.alloc(decoder.piece.length, blockAndNone());
  decoder.piece.set(bytes);
  assert.equal(decoder.decode(bytes.length, bytes.length * 8), undefined);
  assert.ok(decoder.attempts < 100, `${decoder.attempts} attempts`); // a mebisymbol is nine of thousands of blocks
});

/** A thread that must not be given anything. */
const never: AheadThread = {
  isIdle: true,
  givePiece: () => assert.fail("a piece was given"),
  giveFrames: () => assert.fail("frames were given"),
  result: () => "nothing",
  reject() {},
  accept() {},
  read: () => undefined,
};

/** Returns how many pieces or batches were taken. */
function readAll(kind: Kind, usual: number): number {
  const before = aheadCounts.taken;
  let done = 0;
  for (const problem of problemsOfStreams(Number(wanted ?? usual), 4, { [kind]: 1 })) {
    assert.equal(problem, undefined, `stream ${done}`);
    done += 1;
  }
  return aheadCounts.taken - before;
}

test("what threads decode ahead of pieces of every size is what comes out in order", () => {
  const taken = readAll("gzip in pieces", isThorough ? 1000 : 60);
  assert.ok(taken > 100, `${taken} pieces were taken`);
});

test("frames of zstd data that threads decode are what comes out in order", { skip: skipWithout("zstd") }, () => {
  const taken = readAll("zstd in batches", isThorough ? 1000 : 200);
  assert.ok(taken > 100, `${taken} batches were taken`);
});

test("frames that are large, come to much or need a large window are decoded in order", () => {
  const text = body("text", 3000);
  const small = () => storedFrame(text);
  const wide = small();
  wide[5] = (24 - 10) << 3; // the window
  const cases: readonly (readonly [name: string, frame: Buffer, isGiven: boolean])[] = [
    ["small", small(), true],
    ["large", storedFrame(body("noise", 20_000)), false],
    ["much", repeatedFrame(50_000), false],
    ["wide", wide, false],
  ];
  for (const [name, frame, isGiven] of cases) {
    const given: number[] = [];
    const watching: AheadThread = {
      ...never,
      giveFrames: (parts) => given.push(parts.reduce((total, part) => total + part.length, 0)),
    };
    const size = { inputBytes: 10_000, outputBytes: 40_000 };
    const chunks = [Buffer.concat([small(), frame, small()])];
    const source = { isReady: true, read: () => chunks.shift() };
    const sizes = { ...usualSizes, blockBytes: 2000, batches: { usual: size, most: size } };
    new FramesAhead(new ReadAhead(source, [watching, watching, watching], sizes), 27);
    const { length } = small();
    assert.deepEqual(given, isGiven ? [3 * length] : [length, length], name);
  }
});

test("data that are cut or damaged give the same bytes and the same error as without threads", () => {
  const random = new Random(7);
  const way = { cuts: [], spaceBytes: 1 << 16 };
  const sizes = { ...usualSizes, blockBytes: 2000, pieces: { pieceBytes: 2000, behindBytes: 500 } };
  const ahead = (source: ByteSource) => readAhead(source, sizes, random, aheadCounts);
  for (const memLevel of half([1, 2, 4, 8])) {
    const content = Buffer.concat([body("text", 90_000), body("noise", 20_000), body("digits", 60_000)]);
    const whole = gzipped(content, { memLevel }, { flushes: [], ending: "last block" });
    for (let round = 0; round < 20; round += 1) {
      const bytes = damaged(whole, random);
      const [expected, actual] = [outcomeOf(bytes, way), outcomeOf(bytes, way, ahead)];
      assert.equal(differenceBetween(expected, actual), undefined);
    }
  }
});

for (const folder of ["go", "node-tar/archives"] as const) {
  const archives = corpus(folder);
  const { skip } = archives;
  test(`archives of ${folder} are decompressed with threads as without, also when they are damaged`, { skip }, () => {
    const random = new Random(8);
    for (const name of third(archives.names)) {
      const content = corpusArchive(archives, name);
      const sizes = randomSizes(random);
      const way = { cuts: [], spaceBytes: 1 << 16 };
      const ahead = (source: ByteSource) => readAhead(source, sizes, random, aheadCounts);
      const whole = gzipSync(content, { level: random.oneOf([0, 1, 6, 9]), memLevel: random.oneOf([1, 8]) });
      for (const bytes of [whole, damaged(whole, random)])
        assert.equal(differenceBetween(outcomeOf(bytes, way), outcomeOf(bytes, way, ahead)), undefined, name);
    }
  });
}

test("no more is read ahead than there are threads for, nor of a frame than a thread would take", () => {
  const idle: AheadThread = { ...never, isIdle: true, givePiece() {}, giveFrames() {} };
  const size = { inputBytes: 10_000, outputBytes: 40_000 };
  const sizes = {
    blockBytes: 2000,
    pieces: { pieceBytes: 10_000, behindBytes: 0 },
    batches: { usual: size, most: size },
  };
  const small = storedFrame(body("text", 3000));
  const large = storedFrame(body("noise", 100_000));
  const pieces = (ahead: ReadAhead) => new PiecesAhead(ahead);
  const frames = (ahead: ReadAhead) => new FramesAhead(ahead, 27);
  for (const [give, unit, mostBytes] of [
    [pieces, small, 40_000],
    [frames, small, 30_000],
    [frames, large, 10_000],
  ] as const) {
    let readBytes = 0;
    const bytes = Buffer.alloc(500_000, unit);
    const read = () => {
      readBytes += 1000;
      return readBytes > bytes.length ? undefined : bytes.subarray(readBytes - 1000, readBytes);
    };
    const ahead = new ReadAhead({ isReady: true, read }, [idle, idle], sizes);
    give(ahead);
    assert.ok(readBytes >= mostBytes && readBytes <= mostBytes + 1000, `${readBytes} bytes of ${mostBytes}`);
  }
});

/** The beginning of a block with codes of its own, of which only what is not shown is missing. */
const header = deflateRawSync(body("text", 100_000), { memLevel: 1 }).subarray(0, 12);

test("where everything looks like a block, a thread gives up, and few pieces are tried", () => {
  const decoder = new AheadDecoder();
  const noise = Buffer.alloc(decoder.piece.length, header);
  decoder.piece.set(noise);
  assert.equal(decoder.decode(noise.length, noise.length * 8), undefined);
  assert.equal(decoder.attempts, 8192);

  let given = 0;
  const idle: AheadThread = {
    isIdle: true,
    givePiece: () => {
      given += 1;
    },
    giveFrames: () => assert.fail("there are no frames"),
    result: () => "nothing",
    reject() {},
    accept: () => assert.fail("nothing was to be taken"),
    read: () => undefined,
  };
  const chunks = Array.from({ length: 1000 }, () => Buffer.alloc(1000));
  const sizes = { ...usualSizes, blockBytes: 1000, pieces: { pieceBytes: 1000, behindBytes: 0 } };
  const ahead = new ReadAhead({ read: () => chunks.shift(), isReady: true }, [idle], sizes);
  const pieces = new PiecesAhead(ahead);
  for (let bytes = 0; ; ) {
    const chunk = ahead.read();
    if (chunk === undefined) break;
    bytes += chunk.length;
    assert.equal(pieces.pieceAt({ bit: bytes * 8, kind: "dynamic" }, true), undefined);
  }
  assert.ok(given > 8 && given < 200, `${given} of 1000 pieces were tried`);
});

test("a layer that is not compressed, whatever its media type says, is not read ahead, nor given to threads", () => {
  let readBytes = 0;
  let mostAhead = 0;
  const source = {
    isReady: true,
    read() {
      readBytes += 1000;
      return readBytes > 100_000 ? undefined : new Uint8Array(1000);
    },
  };
  const sizes = { ...usualSizes, blockBytes: 2000, pieces: { pieceBytes: 10_000, behindBytes: 0 } };
  const ahead = new ReadAhead(source, [never], sizes);
  const input = new CompressedInput(ahead);
  const output = new DecompressedOutput(
    { space: () => new Uint8Array(1000), commit() {} },
    {
      limits: { totalBytes: 100_000, expansionRatio: 1 },
      readBytes: () => input.takenBytes,
      onBytes: (_bytes, writtenBytes) => {
        mostAhead = Math.max(mostAhead, readBytes - writtenBytes);
      },
    },
  );
  const options = {
    expected: "gzip",
    strict: false,
    zstdWindowLog: 27,
    trailingBytes: 0,
    warning() {},
    ahead,
  } as const;
  decompress(input, output, options);
  assert.equal(output.writtenBytes, 100_000);
  assert.ok(mostAhead < 2000, `${mostAhead} bytes were read ahead`);
});
