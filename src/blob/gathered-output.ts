import type { ByteSpace } from "./decompressed-output.ts";

/**
 * Hands many small pieces on as one, because each that is handed on wakes other threads. What is gathered lies in the next
 * one's memory already.
 */
export class GatheredOutput implements ByteSpace {
  readonly #next: ByteSpace;
  #space: Uint8Array | undefined;
  #gatheredBytes = 0;

  constructor(next: ByteSpace) {
    this.#next = next;
  }

  /** How many bytes wait to be handed on. */
  get gatheredBytes(): number {
    return this.#gatheredBytes;
  }

  space(): Uint8Array {
    this.#space ??= this.#next.space();
    return this.#gatheredBytes === 0 ? this.#space : this.#space.subarray(this.#gatheredBytes);
  }

  commit(length: number): void {
    if (length === 0) return;
    this.#gatheredBytes += length;
    if (this.#gatheredBytes === this.#space?.length) this.handOn();
  }

  /** Has to be called before anything is waited for, and at the end. */
  handOn(): void {
    const length = this.#gatheredBytes;
    this.#gatheredBytes = 0;
    this.#space = undefined;
    if (length > 0) this.#next.commit(length);
  }
}
