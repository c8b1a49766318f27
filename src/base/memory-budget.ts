import { isOciUnpackError, limitExceeded } from "./errors.ts";
import type { Limits } from "./limits.ts";

/** Counts the memory that is used for one image. */
export interface Memory {
  /** Call it before something is remembered. `what` names it in the error message, in the plural. */
  spend(bytes: number, what: string): void;
  /** Call it when something is forgotten, with as many bytes as were spent on it. */
  release(bytes: number): void;
}

/**
 * How many bytes of memory one operation may use for an image: `memoryBytes` of its limits.
 *
 * Everything that an image can make the program remember is counted where it is remembered. What counts is what it
 * takes in memory, with its objects and its entries in maps: a million empty names take much memory and have no
 * characters.
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
    const excess = { allowed: this.#allowedBytes };
    throw limitExceeded(`cannot remember the image's ${what}: ${found}`, "memoryBytes", excess);
  }

  release(bytes: number): void {
    this.#spentBytes -= bytes;
  }
}

/** A part of a budget, for things that are all forgotten at the same time. */
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

  /** Releases everything that was spent through this share. */
  releaseAll(): void {
    this.release(this.#spentBytes);
  }
}

/** Whether an error says that a budget does not suffice. */
export function isMemoryExceeded(error: unknown): boolean {
  const limit: keyof Limits = "memoryBytes";
  return isOciUnpackError(error) && error.code === "LIMIT_EXCEEDED" && error.details.limit === limit;
}
