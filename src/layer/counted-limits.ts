import type { Limits } from "../base/limits.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { entryLimitExceeded, refusal } from "./findings.ts";

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

/** What Linux takes as one path, and so as a symlink's target. */
const pathBytes = 4096;

/** Text of targets that paths may lead through before entries are counted. */
const firstBytes = 1024 * 1024;

/**
 * How much text of symlinks' targets the paths of entries may lead through: as much as one path has for each entry, on
 * average. Images have a few dozen bytes.
 *
 * Linux follows 40 symlinks of 4095 bytes in one path. An archive whose every entry leads through so many, in some
 * hundred bytes of its own, would take two milliseconds for each: there are no more names in its own text than in one
 * of the targets.
 */
export class FollowedLinks {
  #allowedBytes = firstBytes;

  /** To be called for each entry that is applied. */
  allowEntry(): void {
    this.#allowedBytes += pathBytes;
  }

  /** To be called with the target of each symlink that is followed, for an entry at `path`. */
  follow(target: ByteString, path: ByteString): void {
    this.#allowedBytes -= target.length;
    if (this.#allowedBytes >= 0) return;
    throw refusal(path, `ways through symlinks whose targets have more than ${pathBytes} bytes for each entry`);
  }
}
