import type { ByteString } from "../tar/byte-string.ts";
import { refusal } from "./refusal.ts";

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
