import type { IndexSink } from "../worker/index-receiver.ts";

/** Passes indexes on, and knows which have come. */
export class AwaitedIndexes implements IndexSink {
  readonly layers: readonly number[];
  readonly #next: IndexSink;
  readonly #onEnd: () => void;
  readonly #ended = new Set<number>();

  constructor(next: IndexSink, onEnd: () => void) {
    this.layers = next.layers;
    this.#next = next;
    this.#onEnd = onEnd;
  }

  /** Whether the indexes of these layers have come, as far as they are wanted. */
  hasAll(layers: readonly number[]): boolean {
    return layers.every((layer) => this.#ended.has(layer) || !this.layers.includes(layer));
  }

  write(layer: number, bytes: Uint8Array): Promise<void> {
    return this.#next.write(layer, bytes);
  }

  reject(layer: number): void {
    this.#next.reject(layer);
  }

  async end(layer: number, isComplete: boolean): Promise<void> {
    await this.#next.end(layer, isComplete);
    this.#ended.add(layer);
    this.#onEnd();
  }
}
