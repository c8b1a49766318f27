import { unlessAborted } from "./abort.ts";

/** The values that events bring, for a loop to take. */
export class ValueQueue<Value> implements AsyncIterable<Value> {
  readonly #values: { readonly value: Value }[] = [];
  #isEnded = false;
  #wake: () => void = () => {};

  add(value: Value): void {
    this.#values.push({ value });
    this.#wake();
  }

  /** Ends the loop after the values that are there. */
  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Value> {
    for (;;) {
      const next = this.#values.shift();
      if (next !== undefined) yield next.value;
      else if (this.#isEnded) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

/**
 * The values that a function gives away one by one, as something to iterate. `give` resolves when the next value is
 * asked for, so that a slow reader slows the function down.
 *
 * The iteration ends when the function has ended, and throws what it throws. If the reader stops earlier, the signal of
 * the function aborts, and the iteration ends when the function has ended.
 */
export async function* handedOver<Value>(
  run: (give: (value: Value) => Promise<void>, signal: AbortSignal) => Promise<void>,
): AsyncGenerator<Value> {
  const stop = new AbortController();
  const given = new ValueQueue<{ readonly value: Value; readonly taken: () => void }>();
  const give = (value: Value) => {
    const taken = new Promise<void>((resolve) => given.add({ value, taken: resolve }));
    return unlessAborted(taken, stop.signal);
  };
  const running = run(give, stop.signal).finally(() => given.end());
  running.catch(() => {}); // awaited below
  try {
    for await (const { value, taken } of given) {
      yield value;
      taken();
    }
    await running;
  } finally {
    stop.abort();
    await running.catch(() => {});
  }
}
