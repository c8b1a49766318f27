import { unlessAborted } from "./abort.ts";

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
  const given: { readonly value: Value; readonly taken: () => void }[] = [];
  let isOver = false;
  let wake = () => {};
  const give = (value: Value) => {
    const taken = new Promise<void>((resolve) => given.push({ value, taken: resolve }));
    wake();
    return unlessAborted(taken, stop.signal);
  };
  const running = run(give, stop.signal).finally(() => {
    isOver = true;
    wake();
  });
  running.catch(() => {}); // awaited below
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
    await running;
  } finally {
    stop.abort();
    await running.catch(() => {});
  }
}
