import type { Memory } from "../base/memory-budget.ts";
import { TarDecoder } from "../tar/decoder.ts";
import type { ByteSource } from "../tar/entry.ts";
import { KnownBody } from "../toc/known-body.ts";

const fewestNumbers = 64;

/** Where the data of files begin in the archives of their layers, by the numbers of the files' digests. */
export class DataOffsets {
  readonly #memory: Memory;
  #offsets = new Float64Array(0);

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Where the data of the entry begin that an archive or an index gave last. */
  of(body: ByteSource): number {
    if (body instanceof KnownBody) return body.facts.dataOffset;
    if (body instanceof TarDecoder) return body.offset;
    throw new TypeError("an entry comes from an archive or an index");
  }

  set(number: number, offset: number): void {
    if (number >= this.#offsets.length) this.#grow(number);
    this.#offsets[number] = offset;
  }

  get(number: number): number | undefined {
    return this.#offsets[number];
  }

  #grow(number: number): void {
    const offsets = new Float64Array(Math.max(2 * this.#offsets.length, number + 1, fewestNumbers));
    this.#memory.spend(offsets.byteLength - this.#offsets.byteLength, "places of data");
    offsets.set(this.#offsets);
    this.#offsets = offsets;
  }
}
