import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { present } from "../../src/base/present.ts";
import { AheadDecoder } from "../../src/blob/ahead-decoder.ts";
import { CompressedInput } from "../../src/blob/compressed-input.ts";
import { decompress } from "../../src/blob/decompressed.ts";
import { DecompressedOutput } from "../../src/blob/decompressed-output.ts";
import { type AheadThread, ReadAhead } from "../../src/blob/read-ahead.ts";
import { Random } from "../model/random.ts";
import { half, isThorough } from "../support/thorough.ts";
import { readAhead } from "./ahead.ts";
import { body } from "./bodies.ts";
import { aheadCounts, problemsOfStreams } from "./generator.ts";
import { gzipped } from "./gzip-member.ts";

test("what threads decode ahead of pieces of every size is what comes out in order", () => {
  const before = aheadCounts.taken;
  for (const problem of problemsOfStreams(isThorough ? 1000 : 60, 4, { "gzip in pieces": 1 })) {
    assert.equal(problem, undefined);
  }
  assert.ok(aheadCounts.taken - before > 100, `${aheadCounts.taken - before} pieces were taken`);
});

interface Outcome {
  readonly bytes: Buffer;
  readonly takenBytes: number;
  readonly failure: string | undefined;
}

/** Decompresses with threads that decode ahead, or without. */
function outcomeOf(compressed: Buffer, random?: Random): Outcome {
  const chunks = [compressed];
  const source = { read: () => chunks.shift() };
  const sizes = { pieceBytes: 2000, behindBytes: 500 };
  const ahead = random && readAhead(source, sizes, random, aheadCounts);
  const input = new CompressedInput(ahead ?? source);
  const space = Buffer.alloc(1 << 16);
  const pieces: Buffer[] = [];
  const output = new DecompressedOutput(
    { space: () => space, commit: (length) => pieces.push(Buffer.from(space.subarray(0, length))) },
    {
      limits: { totalBytes: Number.MAX_SAFE_INTEGER, expansionRatio: 2000 },
      readBytes: () => input.takenBytes,
      onBytes: () => {},
    },
  );
  const options = { expected: "gzip", strict: true, zstdWindowLog: 27, trailingBytes: 0, warning() {} } as const;
  let failure: string | undefined;
  try {
    decompress(input, output, { ...options, ...present({ ahead }) });
  } catch (error) {
    if (!isOciUnpackError(error)) throw error;
    failure = error.message;
  }
  return { bytes: Buffer.concat(pieces), takenBytes: input.takenBytes, failure };
}

test("data that are cut or damaged give the same bytes and the same error as without threads", () => {
  const random = new Random(7);
  for (const memLevel of half([1, 2, 4, 8])) {
    const content = Buffer.concat([body("text", 90_000), body("noise", 20_000), body("digits", 60_000)]);
    const whole = gzipped(content, { memLevel }, { flushes: [], ending: "last block" });
    for (let round = 0; round < 20; round += 1) {
      const damaged = Buffer.from(whole.subarray(0, random.chance(0.3) ? random.below(whole.length) : whole.length));
      for (let count = random.below(3); count > 0; count -= 1)
        damaged[random.below(damaged.length)] = random.below(256);
      const [expected, actual] = [outcomeOf(damaged), outcomeOf(damaged, random)];
      assert.equal(actual.failure, expected.failure);
      assert.equal(actual.takenBytes, expected.takenBytes);
      assert.ok(actual.bytes.equals(expected.bytes));
    }
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
    give: () => {
      given += 1;
    },
    result: () => "nothing",
    reject() {},
    accept: () => assert.fail("nothing was to be taken"),
    read: () => undefined,
  };
  const chunks = Array.from({ length: 1000 }, () => Buffer.alloc(1000));
  const ahead = new ReadAhead({ read: () => chunks.shift(), isReady: true }, [idle], {
    pieceBytes: 1000,
    behindBytes: 0,
  });
  for (let bytes = 0; ; ) {
    const chunk = ahead.read();
    if (chunk === undefined) break;
    bytes += chunk.length;
    assert.equal(ahead.pieceAt({ bit: bytes * 8, kind: "dynamic" }, true), undefined);
  }
  assert.ok(given > 8 && given < 200, `${given} of 1000 pieces were tried`);
});
