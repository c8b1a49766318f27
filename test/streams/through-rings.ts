import { copyBytes } from "../../src/blob/decompressed-output.ts";
import { createRing, RingReader, RingWriter } from "../../src/worker/ring.ts";
import type { Random } from "../model/random.ts";
import { Comparison, problemBetween } from "./reading.ts";
import type { Stream } from "./stream.ts";

/**
 * Two rings, one before and one behind what decompresses, as in the product; but all on one thread: whoever would sleep
 * does the other side's work instead. So chance decides who is how far, and always decides the same.
 */
export class Rings {
  readonly #random: Random;
  readonly #source: FedReader;
  readonly #target: DrainedWriter;
  readonly #fill: RingWriter;
  readonly #drain: RingReader;

  /** For at most `streams` streams. */
  constructor(random: Random, inputBytes: number, outputBytes: number, streams: number) {
    const input = createRing(inputBytes, streams);
    const output = createRing(outputBytes, streams);
    this.#random = random;
    this.#source = new FedReader(input);
    this.#fill = new RingWriter(input);
    this.#target = new DrainedWriter(output);
    this.#drain = new RingReader(output);
  }

  /** The next stream: what is wrong with what comes out of it. */
  problemOf(stream: Stream): string | undefined {
    const check = new Comparison(stream.content);
    let fed = 0;
    this.#source.feed = () => {
      fed += this.#feed(stream.compressed.subarray(fed));
    };
    // The ring is full, so that there are eight pieces at least.
    this.#target.drain = () => {
      for (let pieces = 2 + this.#random.below(6); pieces > 0; pieces -= 1) check.add(this.#drain.read() ?? nothing);
    };
    const problem = problemBetween(stream, this.#source, this.#target);
    if (problem !== undefined) return problem;
    this.#target.end();
    for (let piece = this.#drain.read(); piece !== undefined; piece = this.#drain.read()) check.add(piece);
    return check.problem();
  }

  /** Puts some of the rest into the ring, which is empty, and says how much; where there is no rest, ends the stream. */
  #feed(rest: Uint8Array): number {
    if (rest.length === 0) this.#fill.end();
    const wanted = Math.min(rest.length, this.#random.oneOf([1 + this.#random.below(lastBytes), rest.length]));
    if (wanted === 0) return 0;
    const space = this.#fill.space();
    const length = Math.min(space.length, wanted);
    copyBytes(rest.subarray(0, length), space);
    this.#fill.commit(length);
    return length;
  }
}

const lastBytes = 64;
const nothing = new Uint8Array(0);

class FedReader extends RingReader {
  feed = (): void => {};

  protected override sleep(): void {
    this.feed();
  }
}

class DrainedWriter extends RingWriter {
  drain = (): void => {};

  protected override sleep(): void {
    this.drain();
  }
}
