/** How much a body has to bring within `Deadlines.progressMilliseconds`. */
export const progressBytes = 128 * 1024;

/**
 * Judges whether a body brings enough while somebody waits for it: 128 KiB in five minutes is less than any line in use
 * brings, and more than who only wants to keep a connection from being silent.
 *
 * Only the time spent waiting for bytes counts: whoever takes them slowly does not make a body slow.
 */
export class Pace {
  readonly #milliseconds: number;
  #bytes = 0;
  #waitedMilliseconds = 0;
  #since = performance.now();

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  /** Says that somebody begins to wait for more. */
  waiting(): void {
    this.#since = performance.now();
  }

  /** Says that bytes came; false where they are too few for the time that was waited. */
  arrived(bytes: number): boolean {
    this.#bytes += bytes;
    this.#waitedMilliseconds += performance.now() - this.#since;
    if (this.#bytes < progressBytes) return this.#waitedMilliseconds < this.#milliseconds;
    this.#bytes = 0;
    this.#waitedMilliseconds = 0;
    return true;
  }

  /** How many bytes came since there were enough of them. */
  get bytes(): number {
    return this.#bytes;
  }
}
