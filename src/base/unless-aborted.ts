import { onAbort } from "./abort.ts";

/** Waits for something that does not listen to signals itself. Several may wait for one thing; each gives up for itself. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const listenNoMore = onAbort(signal, () => reject(signal?.reason));
    promise.then(resolve, reject).finally(listenNoMore);
  });
}
