import assert from "node:assert/strict";
import { test } from "node:test";
import { createRing, RingReader, RingWriter } from "../../src/worker/ring.ts";
import { Random } from "../model/random.ts";

/*
 * Rings compared with the simplest thing that does the same: streams in memory, and for each reader how far it is. Both
 * ends are on one thread, which never sleeps: an end that would says so instead.
 */

class WouldSleep extends Error {}

class WakefulReader extends RingReader {
  protected override sleep(): void {
    throw new WouldSleep();
  }
}

class WakefulWriter extends RingWriter {
  protected override sleep(): void {
    throw new WouldSleep();
  }
}

/** What `act` gives, or "sleeps" where it would. */
function unlessAsleep<T>(act: () => T): T | "sleeps" {
  try {
    return act();
  } catch (error) {
    if (error instanceof WouldSleep) return "sleeps";
    throw error;
  }
}

/** How far a reader is: how many streams it ended, and how many bytes it read and gave back. */
class ModelReader {
  streams = 0;
  readBytes = 0;
  /** A chunk that was read is in use until the next one is asked for. */
  releasedBytes = 0;
}

class Comparison {
  readonly #random: Random;
  readonly #capacity: number;
  readonly #streams: number;
  readonly #writer: WakefulWriter;
  readonly #readers: readonly { readonly real: WakefulReader; readonly model: ModelReader }[];
  /** Every byte that was written, all streams in one. */
  readonly #written: number[] = [];
  readonly #ends: number[] = [];

  constructor(random: Random) {
    this.#random = random;
    this.#capacity = 2 ** (3 + random.below(6));
    this.#streams = 1 + random.below(6);
    const count = random.oneOf([1, 2] as const);
    const ring = createRing(this.#capacity, this.#streams, count);
    if (random.chance(0.5)) startBeforeTheWrap(ring.control, random.below(3 * this.#capacity));
    this.#writer = new WakefulWriter(ring);
    this.#readers = ([0, 1] as const)
      .slice(0, count)
      .map((reader) => ({ real: new WakefulReader(ring, () => {}, reader), model: new ModelReader() }));
  }

  /** Until every reader has had every stream. */
  run(): void {
    while (this.#readers.some(({ model }) => model.streams < this.#streams)) {
      if (this.#random.chance(0.5)) this.#write();
      else this.#read();
    }
  }

  #write(): void {
    if (this.#ends.length === this.#streams) return;
    if (this.#random.chance(0.15)) {
      this.#writer.end();
      this.#ends.push(this.#written.length);
      return;
    }
    const freeBytes =
      this.#capacity - this.#written.length + Math.min(...this.#readers.map(({ model }) => model.releasedBytes));
    const space = unlessAsleep(() => this.#writer.space());
    assert.equal(space === "sleeps", freeBytes === 0);
    if (space === "sleeps") return;
    assert.ok(space.length > 0 && space.length <= freeBytes);
    const length = this.#random.below(space.length + 1);
    const bytes = this.#random.many(length, length, () => this.#random.below(256));
    space.set(bytes);
    this.#written.push(...bytes);
    this.#writer.commit(length);
  }

  #read(): void {
    const { real, model } = this.#random.oneOf(this.#readers);
    if (model.streams === this.#streams) return;
    const end = this.#ends[model.streams];
    const there = (end ?? this.#written.length) - model.readBytes;
    const chunk = unlessAsleep(() => real.read());
    model.releasedBytes = model.readBytes;
    if (there === 0) assert.equal(chunk, end === undefined ? "sleeps" : undefined);
    if (chunk === "sleeps") return;
    if (chunk === undefined) {
      model.streams += 1;
      return;
    }
    assert.ok(chunk.length > 0 && chunk.length <= there);
    assert.deepEqual([...chunk], this.#written.slice(model.readBytes, model.readBytes + chunk.length));
    model.readBytes += chunk.length;
  }
}

/** As though so many bytes were missing until the counters begin anew. */
function startBeforeTheWrap(control: SharedArrayBuffer, bytes: number): void {
  const words = new Int32Array(control);
  const [head, tail] = [0, 7];
  words[head] = words[tail] = words[tail + 1] = -bytes;
}

test("whatever is written, read and ended in whatever order, a ring gives what was put into it", () => {
  for (let seed = 0; seed < 3000; seed += 1) {
    try {
      new Comparison(new Random(seed)).run();
    } catch (error) {
      assert.fail(`seed ${seed}: ${error}`);
    }
  }
});
