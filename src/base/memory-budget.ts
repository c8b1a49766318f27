import { OciUnpackError } from "./errors.ts";
import type { Limits } from "./limits.ts";

/** Where what is remembered is counted. */
export interface Memory {
  /** To be called before something is remembered. `what` is for the message, in the plural. */
  spend(bytes: number, what: string): void;
  /** Gives back what was spent on something that is forgotten. */
  release(bytes: number): void;
}

/**
 * What one operation may remember of an image, in bytes: `memoryBytes` of its limits.
 *
 * Whatever an image can make the program remember is counted where it is remembered, by what it takes in memory, its
 * objects and its places in maps included: a budget that counts texts alone is passed by a million empty ones.
 */
export class MemoryBudget implements Memory {
  readonly #allowedBytes: number;
  #spentBytes = 0;

  constructor({ memoryBytes }: Pick<Limits, "memoryBytes">) {
    this.#allowedBytes = memoryBytes;
  }

  spend(bytes: number, what: string): void {
    this.#spentBytes += bytes;
    if (this.#spentBytes <= this.#allowedBytes) return;
    const found = `with it there are more than ${this.#allowedBytes} bytes of memory in use for one image`;
    throw new OciUnpackError("LIMIT_EXCEEDED", `cannot remember the image's ${what}: ${found}`, {
      hint: `raise the limit memoryBytes, now ${this.#allowedBytes}, if you trust the image`,
    });
  }

  release(bytes: number): void {
    this.#spentBytes -= bytes;
  }
}

/** A part of a budget, for what is forgotten as a whole. */
export class MemoryShare implements Memory {
  readonly #whole: Memory;
  #spentBytes = 0;

  constructor(whole: Memory) {
    this.#whole = whole;
  }

  spend(bytes: number, what: string): void {
    this.#whole.spend(bytes, what);
    this.#spentBytes += bytes;
  }

  release(bytes: number): void {
    this.#whole.release(bytes);
    this.#spentBytes -= bytes;
  }

  /** Gives back all that was spent here. */
  releaseAll(): void {
    this.release(this.#spentBytes);
  }
}
