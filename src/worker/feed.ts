import type { AsyncRingWriter } from "./ring.ts";

/** Layers, bottom first, and the compressed bytes of each by its index. */
interface OpenLayers {
  readonly layers: readonly unknown[];
  readonly open: (index: number, signal: AbortSignal) => AsyncIterable<Uint8Array>;
}

/** Writes the bytes of all layers, one after the other, each as a stream of its own. */
export async function feed({ layers, open }: OpenLayers, writer: AsyncRingWriter, signal: AbortSignal): Promise<void> {
  for (const layer of layers.keys()) {
    for await (const chunk of open(layer, signal)) await writer.write(chunk);
    writer.end();
  }
}
