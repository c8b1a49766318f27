/** The functions to call for each signal that has a listener. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `act` when a signal aborts. Returns a function that ends the subscription.
 *
 * A signal gets one listener, however many functions are to be called: Node 20 warns of a leak at the eleventh
 * listener, and a pull of many layers has more requests than that at a time. When the last function is gone, so is the
 * listener.
 */
export function onAbort(signal: AbortSignal | undefined, act: () => void): () => void {
  if (signal === undefined) return () => {};
  const acts = waiting.get(signal) ?? listening(signal);
  const own = () => act(); // a Set would keep the same function only once
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

/** A set that calls a function when its last member is deleted. */
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

/** Waits that long. An abort ends the wait at once with the signal's reason. */
export function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const timer = setTimeout(() => {
      listenNoMore();
      resolve();
    }, milliseconds);
    const listenNoMore = onAbort(signal, () => {
      clearTimeout(timer);
      reject(signal?.reason);
    });
  });
}

/**
 * Waits for a promise that knows nothing of signals. An abort rejects with the signal's reason, for this caller alone:
 * others may wait for the same promise.
 */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const listenNoMore = onAbort(signal, () => reject(signal?.reason));
    if (signal?.aborted) reject(signal.reason);
    promise.then(resolve, reject).finally(listenNoMore);
  });
}

/** Calls `cancel` when the signal is aborted. Does not wait for it. */
export async function cancelledBy(signal: AbortSignal, cancel: () => void): Promise<void> {
  if (signal.aborted) return cancel();
  onAbort(signal, cancel);
}

/**
 * Runs tasks side by side until all have ended.
 *
 * The first failure aborts the signal that all tasks were given. Its error is thrown once all of them have ended, so
 * that nothing runs any more when the caller cleans up. An abort of `signal` ends all tasks with that signal's reason.
 */
export async function together(
  signal: AbortSignal | undefined,
  tasks: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const stop = new AbortController();
  const abort = () => stop.abort(signal?.reason);
  if (signal?.aborted) abort();
  const listenNoMore = onAbort(signal, abort);
  try {
    await Promise.allSettled(
      tasks.map(async (task) => {
        try {
          await task(stop.signal);
        } catch (error) {
          stop.abort(error);
        }
      }),
    );
  } finally {
    listenNoMore();
  }
  stop.signal.throwIfAborted();
}

/** As `together`, for tasks that need no signal. Gives what each returned, by its name. */
export async function resultsTogether<Results extends object>(
  signal: AbortSignal | undefined,
  tasks: { readonly [Name in keyof Results]: () => Promise<Results[Name]> },
): Promise<Results> {
  const results: Partial<Results> = {};
  const names = Object.keys(tasks) as (keyof Results)[];
  await together(
    signal,
    names.map((name) => async () => {
      results[name] = await tasks[name]();
    }),
  );
  return results as Results;
}

interface Attempt<T> {
  readonly result: Promise<T>;
  readonly abandon: AbortController;
  callers: number;
}

/**
 * Shares one attempt between all callers that want the same thing at the same time.
 *
 * A caller that aborts stops waiting; the attempt goes on while others wait, and is aborted when none does. Its result
 * is not kept, so a later caller starts a new attempt.
 */
export class SingleFlight<T> {
  #attempt: Attempt<T> | undefined;

  async join(signal: AbortSignal | undefined, start: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    this.#attempt ??= started(start);
    const attempt = this.#attempt;
    attempt.callers++;
    try {
      return await unlessAborted(attempt.result, signal);
    } finally {
      attempt.callers--;
      if (attempt.callers === 0) this.#over(attempt);
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
  result.catch(() => {}); // the callers get the error, if any still wait
  return { result, abandon, callers: 0 };
}
