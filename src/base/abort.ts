const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `act` when a signal aborts; the function it gives back takes that back.
 *
 * However many wait, a signal gets one listener: Node 20 warns of a leak at the eleventh, and a pull of many layers has
 * more requests than that under way. Nothing stays on the caller's signal when nobody waits any more.
 */
export function onAbort(signal: AbortSignal | undefined, act: () => void): () => void {
  if (signal === undefined) return () => {};
  const acts = waiting.get(signal) ?? listening(signal);
  const own = () => act(); // the same function may wait twice
  acts.add(own);
  return () => {
    acts.delete(own);
  };
}

function listening(signal: AbortSignal): Set<() => void> {
  const listener = () => {
    waiting.delete(signal);
    for (const act of acts) act();
  };
  const acts = new Acts(() => {
    signal.removeEventListener("abort", listener);
    waiting.delete(signal);
  });
  waiting.set(signal, acts);
  signal.addEventListener("abort", listener, { once: true });
  return acts;
}

/** Says when its last member leaves. */
class Acts extends Set<() => void> {
  readonly #whenEmpty: () => void;

  constructor(whenEmpty: () => void) {
    super();
    this.#whenEmpty = whenEmpty;
  }

  override delete(act: () => void): boolean {
    const isDeleted = super.delete(act);
    if (isDeleted && this.size === 0) this.#whenEmpty();
    return isDeleted;
  }
}
