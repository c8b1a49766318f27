import type { TestContext } from "node:test";

/** A clock that a test moves. */
export interface HeldClock {
  /** Lets so many milliseconds pass. */
  move(milliseconds: number): void;
}

/**
 * Timers of these lengths go by a clock that stands still until the test moves it; all others go on. So a deadline passes
 * when the test says, however busy the machine is. Node's own mock of timers knows no `refresh`.
 */
export function heldTimers({ mock }: TestContext, ...lengths: readonly number[]): HeldClock {
  let now = 0;
  const waiting = new Set<HeldTimer>();
  const { setTimeout: start, clearTimeout: stop } = globalThis;
  const held = (act: () => void, milliseconds = 0) => {
    if (!lengths.includes(milliseconds)) return start(act, milliseconds);
    const timer = new HeldTimer(act, () => {
      timer.due = now + milliseconds;
      waiting.add(timer);
    });
    return timer.refresh();
  };
  mock.method(globalThis, "setTimeout", held as typeof setTimeout);
  mock.method(globalThis, "clearTimeout", (timer: NodeJS.Timeout | HeldTimer | undefined) => {
    if (timer instanceof HeldTimer) waiting.delete(timer);
    else stop(timer);
  });
  return {
    move(milliseconds) {
      now += milliseconds;
      for (const timer of [...waiting]) {
        if (timer.due > now || !waiting.delete(timer)) continue;
        timer.act();
      }
    },
  };
}

class HeldTimer {
  readonly act: () => void;
  readonly #begin: () => void;
  due = 0;

  constructor(act: () => void, begin: () => void) {
    this.act = act;
    this.#begin = begin;
  }

  refresh(): this {
    this.#begin();
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}
