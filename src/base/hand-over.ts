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

/** Values that can be iterated, once, and what comes of it all. */
export interface Handover<Value, Result> extends AsyncIterable<Value> {
  /** Fulfilled when all values were taken; rejected with the error that the iteration throws. */
  readonly result: Promise<Result>;
}

/**
 * The values that a function gives away one by one, as something to iterate, and what it returns. `give` resolves when
 * the next value is asked for, so that a slow reader slows the function down.
 *
 * The iteration ends when the function has ended, and throws what it throws. If the reader stops earlier, the signal of
 * the function aborts, and the iteration ends when the function has ended.
 */
export function handedOver<Value, Result = void>(
  run: (give: (value: Value) => Promise<void>, signal: AbortSignal) => Promise<Result>,
): Handover<Value, Result> {
  const { promise, resolve, reject } = deferred<Result>();
  const values = iterated<Value>(async (give, stop) => {
    try {
      resolve(await run(give, stop));
    } catch (error) {
      reject(error);
      throw error;
    }
  });
  return { result: promise, [Symbol.asyncIterator]: () => values };
}

async function* iterated<Value>(
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

/** A promise, and what settles it. Nobody has to wait for it: whoever iterates learns of an error. */
export function deferred<Value>() {
  let [resolve, reject]: [(value: Value) => void, (error: unknown) => void] = [() => {}, () => {}];
  const promise = new Promise<Value>((...settle) => {
    [resolve, reject] = settle;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}
