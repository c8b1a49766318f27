import { onAbort } from "../base/abort.ts";
import type { CallContext } from "../base/call-context.ts";
import { Failure } from "./failure.ts";

/** Gives an attempt so much time as a whole, however busily it drips. */
export async function within<T>(
  milliseconds: number,
  context: CallContext,
  attempt: (context: CallContext) => Promise<T>,
): Promise<T> {
  const { signal } = context;
  signal?.throwIfAborted();
  const end = new AbortController();
  const timedOut = new Failure("TIMEOUT", `it took more than ${milliseconds / 1000} s`, { temporary: true });
  const timer = setTimeout(() => end.abort(timedOut), milliseconds);
  const listenNoMore = onAbort(signal, () => end.abort(signal?.reason));
  try {
    return await attempt(context.under(end.signal));
  } finally {
    clearTimeout(timer);
    listenNoMore();
  }
}
