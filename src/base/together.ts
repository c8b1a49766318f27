/**
 * Runs tasks side by side until all have ended.
 *
 * The first that fails aborts the signal that the others were given; its error is thrown when they all have stopped, so
 * that nothing still runs when the caller cleans up. Aborting `signal` from outside stops them all with its own reason.
 */
export async function together(
  signal: AbortSignal | undefined,
  tasks: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const stop = new AbortController();
  const abort = () => stop.abort(signal?.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true });
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
    signal?.removeEventListener("abort", abort);
  }
  stop.signal.throwIfAborted();
}
