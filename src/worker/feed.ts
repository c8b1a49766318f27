import { unlessAborted } from "../base/abort.ts";
import type { AsyncRingWriter } from "./ring.ts";

/** Layers, bottom first, and the compressed bytes of each by its index. */
interface OpenLayers {
  readonly layers: readonly unknown[];
  readonly open: (index: number, signal: AbortSignal) => AsyncIterable<Uint8Array>;
}

/** Writes the bytes of all layers, one after the other, each as a stream of its own. */
export async function feed({ layers, open }: OpenLayers, writer: AsyncRingWriter, signal: AbortSignal): Promise<void> {
  for (const layer of layers.keys()) {
    for await (const chunk of untilStopped(open(layer, signal), signal)) await writer.write(chunk);
    writer.end();
  }
}

/**
 * The chunks, until an abort. Whoever waits for the next chunk is told then: the end of a blob may wait for its digest,
 * which nobody tells when the threads have been stopped.
 */
async function* untilStopped(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  let isWaiting = false;
  try {
    for (;;) {
      signal.throwIfAborted();
      isWaiting = true;
      const next = await unlessAborted(iterator.next(), signal);
      isWaiting = false;
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    const ended = iterator.return?.();
    if (isWaiting) ended?.catch(() => {});
    else await ended;
  }
}
