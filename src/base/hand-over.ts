import { unlessAborted } from "./abort.ts";

/**
 * What `produce` gives away one by one, as something to iterate. `give` ends when the next value is asked for, so that
 * whoever iterates slowly slows `produce` down.
 *
 * Iterating ends when `produce` has ended, and throws what it throws. Whoever stops iterating aborts the signal that
 * `produce` was given, and goes on when it has ended.
 */
export async function* handedOver<Value>(
  produce: (give: (value: Value) => Promise<void>, signal: AbortSignal) => Promise<void>,
): AsyncGenerator<Value> {
  const stop = new AbortController();
  const given: { readonly value: Value; readonly taken: () => void }[] = [];
  let isOver = false;
  let wake = () => {};
  const give = (value: Value) => {
    const taken = new Promise<void>((resolve) => given.push({ value, taken: resolve }));
    wake();
    return unlessAborted(taken, stop.signal);
  };
  const producing = produce(give, stop.signal).finally(() => {
    isOver = true;
    wake();
  });
  producing.catch(() => {}); // awaited below
  try {
    for (;;) {
      const next = given.shift();
      if (next !== undefined) {
        yield next.value;
        next.taken();
      } else if (isOver) {
        break;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
    await producing;
  } finally {
    stop.abort();
    await producing.catch(() => {});
  }
}
