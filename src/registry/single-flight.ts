import { unlessAborted } from "../base/abort.ts";

interface Attempt<T> {
  readonly result: Promise<T>;
  readonly abandon: AbortController;
  passengers: number;
}

/**
 * Lets everybody who wants one thing at the same time wait for one attempt to get it.
 *
 * Whoever aborts leaves alone; the attempt itself is aborted when nobody waits any more. Nothing is kept afterwards, so a
 * failure is not remembered.
 */
export class Flight<T> {
  #attempt: Attempt<T> | undefined;

  async join(signal: AbortSignal | undefined, start: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    this.#attempt ??= started(start);
    const attempt = this.#attempt;
    attempt.passengers++;
    try {
      return await unlessAborted(attempt.result, signal);
    } finally {
      attempt.passengers--;
      if (attempt.passengers === 0) this.#over(attempt);
    }
  }

  #over(attempt: Attempt<T>): void {
    if (this.#attempt === attempt) this.#attempt = undefined;
    attempt.abandon.abort();
  }
}

function started<T>(start: (signal: AbortSignal) => Promise<T>): Attempt<T> {
  const abandon = new AbortController();
  const result = start(abandon.signal);
  result.catch(() => {}); // the passengers hear of it, if there still are any
  return { result, abandon, passengers: 0 };
}
