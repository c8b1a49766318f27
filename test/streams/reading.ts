import { present } from "../../src/base/present.ts";
import { CompressedInput } from "../../src/blob/compressed-input.ts";
import { decompress } from "../../src/blob/decompressed.ts";
import { type ByteSpace, DecompressedOutput } from "../../src/blob/decompressed-output.ts";
import type { ReadAhead } from "../../src/blob/read-ahead.ts";
import type { ByteSource } from "../../src/tar/entry.ts";
import type { Stream } from "./stream.ts";
import type { Way } from "./way.ts";

/**
 * What is wrong with what the product makes of a stream that comes in a way; `undefined` if nothing is. With `ahead` other
 * threads decode pieces of it.
 */
export function problemOf(stream: Stream, way: Way, ahead?: (source: ByteSource) => ReadAhead): string | undefined {
  const check = new Comparison(stream.content);
  const space = spaceOf(way.spaceBytes);
  const target = { space: () => space, commit: (length: number) => check.add(space.subarray(0, length)) };
  const source = chunked(stream.compressed, way.cuts);
  const pieces = ahead?.(source);
  return problemBetween(stream, pieces ?? source, target, pieces) ?? check.problem();
}

/** The same for bytes that come from one place and go to another. The other place is looked at by the caller. */
export function problemBetween(
  stream: Stream,
  source: ByteSource,
  target: ByteSpace,
  ahead?: ReadAhead,
): string | undefined {
  const { compressed, end } = stream;
  const input = new WatchedInput(source, compressed);
  const { failure, warnings } = read(input, target, ahead);
  if (failure !== undefined) return failure;
  if (input.takenBytes !== compressed.length || input.peek() !== undefined) {
    return `${input.takenBytes} of ${compressed.length} bytes are taken`;
  }
  const expected = end === compressed.length ? "" : `something follows the compressed data at byte ${end}`;
  return warnings.join() === expected ? undefined : `it warns of "${warnings}"`;
}

/** How far something was read, and what came out. */
export interface Outcome extends Reading {
  readonly bytes: Buffer;
  readonly takenBytes: number;
}

/** What the product makes of bytes that may be anything. */
export function outcomeOf(bytes: Buffer, way: Way, ahead?: (source: ByteSource) => ReadAhead): Outcome {
  const space = spaceOf(way.spaceBytes);
  const pieces: Buffer[] = [];
  const target = {
    space: () => space,
    commit: (length: number) => pieces.push(Buffer.from(space.subarray(0, length))),
  };
  const source = chunked(bytes, way.cuts);
  const parts = ahead?.(source);
  const input = new WatchedInput(parts ?? source, bytes);
  const reading = read(input, target, parts);
  return { ...reading, bytes: Buffer.concat(pieces), takenBytes: input.takenBytes };
}

interface Reading {
  readonly failure: string | undefined;
  readonly warnings: readonly string[];
}

function read(input: CompressedInput, target: ByteSpace, ahead: ReadAhead | undefined): Reading {
  const warnings: string[] = [];
  const output = new DecompressedOutput(target, {
    limits: { totalBytes: Number.MAX_SAFE_INTEGER, expansionRatio: Number.MAX_SAFE_INTEGER },
    readBytes: () => input.takenBytes,
    onBytes: () => {},
  });
  try {
    decompress(input, output, {
      expected: undefined,
      strict: false,
      zstdWindowLog: 27,
      trailingBytes: 1000,
      warning: (_code, message) => warnings.push(message),
      ...present({ ahead }),
    });
    return { failure: undefined, warnings };
  } catch (error) {
    return { failure: `${error}`, warnings };
  }
}

/** Insists that every byte is taken once and in order: whatever reads on, reads on at the right place. */
class WatchedInput extends CompressedInput {
  readonly #expected: Buffer;

  constructor(source: ByteSource, expected: Buffer) {
    super(source);
    this.#expected = expected;
  }

  override take(length: number): void {
    if (length !== 0) {
      const taken = this.peek()?.subarray(0, length) ?? new Uint8Array(0);
      const start = this.takenBytes;
      if (taken.length !== length || this.#expected.compare(taken, 0, length, start, start + length) !== 0) {
        throw new Error(`${length} bytes are taken that are not those at ${start}`);
      }
    }
    super.take(length);
  }
}

/** Compares bytes that come piece by piece with those that are to come. */
export class Comparison {
  readonly #expected: Buffer;
  #length = 0;
  #firstOther: number | undefined;

  constructor(expected: Buffer) {
    this.#expected = expected;
  }

  add(piece: Uint8Array): void {
    const start = this.#length;
    this.#length += piece.length;
    if (this.#length > this.#expected.length) return;
    if (this.#expected.compare(piece, 0, piece.length, start, this.#length) !== 0) this.#firstOther ??= start;
  }

  problem(): string | undefined {
    if (this.#firstOther !== undefined) return `other bytes come out, at ${this.#firstOther} or later`;
    if (this.#length !== this.#expected.length) return `${this.#length} of ${this.#expected.length} bytes come out`;
    return undefined;
  }
}

const spaces = new Map<number, Uint8Array>();

function spaceOf(bytes: number): Uint8Array {
  const space = spaces.get(bytes) ?? new Uint8Array(bytes);
  spaces.set(bytes, space);
  return space;
}

function chunked(bytes: Uint8Array, cuts: readonly number[]): ByteSource {
  let start = 0;
  let next = 0;
  return {
    read() {
      if (start === bytes.length) return undefined;
      const chunk = bytes.subarray(start, cuts[next] ?? bytes.length);
      start += chunk.length;
      next += 1;
      return chunk;
    },
  };
}
