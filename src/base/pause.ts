import { onAbort } from "./abort.ts";

/** Waits; an abort ends it at once with the signal's reason. */
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
