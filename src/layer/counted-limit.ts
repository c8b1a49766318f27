import type { Limits } from "../base/limits.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { entryLimitExceeded } from "./refusal.ts";

/** A limit that all layers together must keep to. */
export class CountedLimit {
  readonly #limit: keyof Limits;
  readonly #unit: string;
  readonly #allowed: number;
  #spent = 0;

  /** `unit` is what is counted, in the plural. */
  constructor(limits: Limits, limit: keyof Limits, unit: string) {
    this.#limit = limit;
    this.#allowed = limits[limit];
    this.#unit = unit;
  }

  spend(amount: number, path: ByteString): void {
    this.#spent += amount;
    if (this.#spent > this.#allowed) {
      throw entryLimitExceeded(
        path,
        `with it there are more than ${this.#allowed} ${this.#unit}`,
        this.#limit,
        this.#allowed,
      );
    }
  }
}
