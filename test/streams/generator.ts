import type { AheadSizes } from "../../src/blob/ahead-sizes.ts";
import type { ByteSource } from "../../src/tar/entry.ts";
import { Random } from "../model/random.ts";
import { type AheadCounts, randomSizes, readAhead } from "./ahead.ts";
import { type BodyName, body, bodyNames } from "./bodies.ts";
import { bufferEnds, inputEnd, near, runEnds } from "./boundaries.ts";
import { damaged, differenceBetween } from "./damaged.ts";
import { flushes } from "./deflate-codec.ts";
import { Beginning, GzipMembers, gzipped, randomForm, randomOptions, strategies } from "./gzip-member.ts";
import { outcomeOf, problemOf } from "./reading.ts";
import { inARow, type Stream, withRest } from "./stream.ts";
import { Rings } from "./through-rings.ts";
import { randomWay, type Way } from "./way.ts";
import { randomFrame, smallFrame, toolFrames } from "./zstd-frames.ts";

/** So many streams have their beginning in common, and pass through the same rings. */
const batchStreams = 250;

/** Of all streams of which parts are decoded ahead. */
export const aheadCounts: AheadCounts = { given: 0, taken: 0 };

/** Streams as they come: the next of a batch, and one that may stand before or after it. */
interface Batch {
  readonly stream: (random: Random) => Stream;
  readonly neighbour?: (random: Random) => Stream;
  /** What rings they may pass through: not so small ones that one waits for them. */
  readonly ringBytes: readonly (readonly [input: number, output: number])[];
  /** Whether threads decode parts ahead. Then some streams are cut or damaged, too. */
  readonly isAhead?: boolean;
  readonly close?: () => void;
}

const batches = {
  "gzip in pieces": membersInPieces,
  "zstd in batches": framesInBatches,
  "small gzip": smallMembers,
  "gzip near the end of a buffer": membersNearAnEnd,
  zstd: () => ({ stream: randomFrame, neighbour: randomFrame, ringBytes: largeRings }),
  "zstd by the tool": () => ({
    stream: (random: Random) => random.oneOf(toolFrames()),
    neighbour: randomFrame,
    ringBytes: largeRings,
  }),
  plain: plainArchives,
} satisfies Readonly<Record<string, (random: Random) => Batch>>;

export type Kind = keyof typeof batches;

/** How many of each kind, for each other. */
export const weights: Readonly<Record<Kind, number>> = {
  "gzip in pieces": 20,
  "zstd in batches": 5,
  "small gzip": 50,
  "gzip near the end of a buffer": 30,
  zstd: 8,
  "zstd by the tool": 2,
  plain: 10,
};

/** Makes `count` streams and reads them, the same for the same seed; gives for each what is wrong with it, if anything is. */
export function* problemsOfStreams(
  count: number,
  seed: number,
  weights: Readonly<Partial<Record<Kind, number>>>,
): Generator<string | undefined, void, undefined> {
  for (let done = 0, number = 0; done < count; number += 1) {
    const random = new Random(seed * 100_003 + number);
    const batch: Batch = batches[random.weighted(weights as Record<Kind, number>)](random);
    const rings = randomRings(random, batch.ringBytes);
    for (const end = Math.min(done + batchStreams, count); done < end; done += 1) {
      const stream = decorated(batch, random);
      const way = randomWay(random, stream.compressed.length);
      const sizes = batch.isAhead === true ? randomSizes(random) : undefined;
      const isThroughRings = sizes === undefined && random.chance(0.2);
      const alone = () => (sizes === undefined ? problemOf(stream, way) : problemAhead(stream, way, sizes, random));
      const problem = isThroughRings ? rings.problemOf(stream) : alone();
      const how = isThroughRings ? "through rings" : JSON.stringify({ ...way, ...sizes });
      yield problem && `${stream.name}: ${problem} (${how})`;
      if (problem !== undefined) return; // what is left of this stream in the rings would spoil the next
    }
    batch.close?.();
  }
}

/** What is wrong with a stream of which parts are decoded ahead. A damaged one has to be read as it is without that. */
function problemAhead(stream: Stream, way: Way, sizes: AheadSizes, random: Random): string | undefined {
  const ahead = (source: ByteSource) => readAhead(source, sizes, random, aheadCounts);
  if (random.chance(0.7)) return problemOf(stream, way, ahead);
  const compressed = damaged(stream.compressed, random);
  return differenceBetween(outcomeOf(compressed, way), outcomeOf(compressed, way, ahead));
}

function randomRings(random: Random, sizes: Batch["ringBytes"]): Rings {
  const [inputBytes, outputBytes] = random.oneOf(sizes);
  return new Rings(random, inputBytes, outputBytes, batchStreams);
}

const KiB = 1024;
const smallRings = [
  [128, 1 * KiB],
  [1 * KiB, 4 * KiB],
  [4 * KiB, 32 * KiB],
] as const;
const largeRings = [
  [32 * KiB, 256 * KiB],
  [128 * KiB, 512 * KiB],
  [2048 * KiB, 4096 * KiB], // the product's
] as const;

/** A stream alone or among others, with zeros or something else behind it. */
function decorated({ stream, neighbour }: Batch, random: Random): Stream {
  const alone = stream(random);
  if (neighbour === undefined) return alone;
  const padded = (one: Stream) => (random.chance(0.2) ? withRest(one, 1 + random.below(600), nothing) : one);
  const before = random.chance(0.15) ? random.many(1, 2, () => padded(neighbour(random))) : [];
  const after = random.chance(0.15) ? random.many(1, 2, () => padded(neighbour(random))) : [];
  const row = inARow([...before, padded(alone), ...after]);
  return random.chance(0.3) ? withRest(row, 0, junk(random)) : row;
}

const nothing = Buffer.alloc(0);

/** Its first byte begins no compression, and is no padding. */
function junk(random: Random): Buffer {
  return Buffer.from([0xa5, ...random.many(0, 100, () => random.below(256))]);
}

const empty = new Beginning("zeros", 0, {});

function smallMembers(random: Random): Batch {
  const { members, stream } = manySmall(random);
  return { stream, neighbour: stream, ringBytes: smallRings, close: () => members.close() };
}

function manySmall(random: Random) {
  const members = new GzipMembers(empty, randomOptions(random), 0);
  const stream = (random: Random) => {
    const length = random.below(random.oneOf([4, 100, 2000]));
    return members.member(body(random.oneOf(bodyNames), length), randomForm(random));
  };
  return { members, stream };
}

function membersNearAnEnd(random: Random): Batch {
  const name = random.weighted({ zeros: 3, pattern: 3, text: 2, digits: 1, noise: 1 });
  const options = { level: random.oneOf([0, 1, 1, 6, 9]), strategy: random.oneOf(strategies) };
  const end = endOfABuffer(random, name, options.level);
  const beginning = new Beginning(name, end - near - 1 - random.below(200), options);
  const members = new GzipMembers(beginning, randomOptions(random), random.oneOf([0, 300, 300, 4096, 32768]));
  const small = manySmall(random);
  return {
    stream(random) {
      const length = end - beginning.content.length - near + random.below(2 * near + 1);
      return members.member(more(beginning, length, random), randomForm(random));
    },
    neighbour: small.stream,
    ringBytes: largeRings,
    close() {
      members.close();
      small.members.close();
    },
  };
}

/** Large enough that there is history for pieces, of blocks that are small enough that there are some in a piece. */
function membersInPieces(random: Random): Batch {
  const small = manySmall(random);
  return {
    stream(random) {
      const parts = random.many(1, 6, () => {
        const name = random.weighted({ text: 4, digits: 3, noise: 2, pattern: 1, zeros: 1 });
        const start = random.below(1024 * KiB);
        return body(name, start + random.below(random.oneOf([20, 150]) * KiB)).subarray(start);
      });
      const content = Buffer.concat(parts);
      const options = { ...randomOptions(random), memLevel: random.oneOf([1, 2, 4, 8, 9]), windowBits: 15 };
      const form = { ...randomForm(random), flushes: random.many(0, 20, () => random.oneOf(flushes)) };
      const compressed = gzipped(content, options, form);
      const name = `${content.length} bytes in pieces (${JSON.stringify({ ...options, ...form })})`;
      return { name, compressed, content, end: compressed.length };
    },
    neighbour: small.stream,
    ringBytes: largeRings,
    isAhead: true,
    close: () => small.members.close(),
  };
}

/** Many frames, of which most are small, so that some are in a batch. */
function framesInBatches(): Batch {
  return {
    stream: (random) =>
      inARow(random.many(1, 12, () => (random.chance(0.9) ? smallFrame(random) : randomFrame(random)))),
    neighbour: randomFrame,
    ringBytes: largeRings,
    isAhead: true,
  };
}

function more(beginning: Beginning, length: number, random: Random): Buffer {
  if (random.chance(0.3)) return body(random.oneOf(bodyNames), length);
  const start = beginning.content.length;
  return body(beginning.bodyName, start + length).subarray(start);
}

function endOfABuffer(random: Random, name: BodyName, level: number): number {
  const kind = random.weighted({ output: 50, runs: 25, window: 12, input: 10, rings: 3 });
  if (kind === "runs") return random.oneOf(runEnds(name, level));
  const end = kind === "output" && random.chance(0.7) ? bufferEnds.output[0] : random.oneOf(bufferEnds[kind]);
  return kind === "input" && (name === "noise" || level === 0) ? inputEnd(name, end, level) : end;
}

function plainArchives(random: Random): Batch {
  const name = random.oneOf(bodyNames);
  const end = random.oneOf([0, ...bufferEnds.window, ...bufferEnds.output, ...bufferEnds.rings.slice(0, 2)]);
  const stream = (random: Random) => {
    const content = body(name, Math.max(0, end - near + random.below(2 * near + 1)));
    return { name: `${content.length} plain bytes of ${name}`, compressed: content, content, end: content.length };
  };
  return { stream, ringBytes: largeRings };
}
