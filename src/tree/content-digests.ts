import { Buffer } from "node:buffer";
import type { Memory } from "../base/memory-budget.ts";

/** What a SHA-256 takes. */
const digestBytes = 32;

/** What a number takes in a set. */
const missingBytes = 32;

/** The SHA-256 digests of many files by number, of which there may be none for some. */
export class ContentDigests {
  #bytes = new Uint8Array(1024 * digestBytes);
  #count = 0;
  readonly #missing = new Set<number>();
  readonly #memory: Memory;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Keeps a digest, or that there is none, and gives its number. */
  add(digest: Uint8Array | undefined): number {
    const number = this.#count;
    this.#count += 1;
    if (this.#count * digestBytes > this.#bytes.length) this.#grow();
    if (digest === undefined) this.#addMissing(number);
    else this.#bytes.set(digest, number * digestBytes);
    return number;
  }

  /** In hexadecimal digits. */
  get(number: number): string | undefined {
    if (number >= this.#count || this.#missing.has(number)) return undefined;
    return Buffer.from(this.#bytes.buffer, number * digestBytes, digestBytes).toString("hex");
  }

  #addMissing(number: number): void {
    this.#memory.spend(missingBytes, "files");
    this.#missing.add(number);
  }

  #grow(): void {
    this.#memory.spend(this.#bytes.length, "digests");
    const bytes = new Uint8Array(2 * this.#bytes.length);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }
}
