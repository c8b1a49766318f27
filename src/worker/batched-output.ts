import type { ByteSpace } from "../blob/decompressed-output.ts";
import type { RingWriter } from "./ring.ts";

/** Hands bytes over by the batch, so that their reader is not woken for each message. */
export class BatchedOutput implements ByteSpace {
  readonly #writer: RingWriter;
  #space: Uint8Array = new Uint8Array(0);
  #usedBytes = 0;

  constructor(writer: RingWriter) {
    this.#writer = writer;
  }

  get roomBytes(): number {
    return this.#writer.roomBytes - this.#usedBytes;
  }

  space(): Uint8Array {
    if (this.#space.length === 0) this.#space = this.#writer.space();
    return this.#space;
  }

  commit(length: number): void {
    this.#usedBytes += length;
    this.#space = this.#space.subarray(length);
    if (this.#space.length === 0) this.flush();
  }

  flush(): void {
    if (this.#usedBytes > 0) this.#writer.commit(this.#usedBytes);
    this.#usedBytes = 0;
    this.#space = this.#space.subarray(0, 0);
  }

  end(): void {
    this.flush();
    this.#writer.end();
  }
}
