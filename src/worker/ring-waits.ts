/*
 * How the ends of a ring waited for each other, in memory that they share:
 *
 *   count, milliseconds │ of the writer, then of each reader   │ Float64
 *
 * The waits show which end is too slow: the one that does not wait. Each number has one writer and is only shown to
 * people.
 */

/** How often, and how long in all, one end of a ring waited for another. */
export interface Waits {
  readonly count: number;
  readonly milliseconds: number;
}

/** Memory for the waits of the writer and of the readers. */
export function createWaits(readers: number): SharedArrayBuffer {
  return new SharedArrayBuffer((1 + readers) * 2 * Float64Array.BYTES_PER_ELEMENT);
}

/** How long the ends of a ring have waited for each other so far. */
export function waitsOf(ring: { readonly waits: SharedArrayBuffer }): {
  readonly writer: Waits;
  readonly readers: readonly Waits[];
} {
  const numbers = new Float64Array(ring.waits);
  const end = (index: number) => ({ count: numbers[2 * index] ?? 0, milliseconds: numbers[2 * index + 1] ?? 0 });
  const readers = numbers.length / 2 - 1;
  return { writer: end(0), readers: Array.from({ length: readers }, (_, reader) => end(1 + reader)) };
}

/** Counts the waits of one end: 0 for the writer, then come the readers. */
export class OwnWaits {
  readonly #numbers: Float64Array;

  constructor(waits: SharedArrayBuffer, end: number) {
    this.#numbers = new Float64Array(waits, 2 * end * Float64Array.BYTES_PER_ELEMENT, 2);
  }

  /** Counts one that is over. */
  add(startedAt: number): void {
    const [count = 0, milliseconds = 0] = this.#numbers;
    this.#numbers[0] = count + 1;
    this.#numbers[1] = milliseconds + performance.now() - startedAt;
  }
}
