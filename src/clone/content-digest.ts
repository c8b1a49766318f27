import { Buffer } from "node:buffer";
import type { Hash } from "node:crypto";
import { nodeCrypto } from "../base/on-demand.ts";
import { nextData, readSomeAt } from "../linux/content.ts";
import type { Result } from "../linux/libc.ts";

const blockBytes = 4096;
const chunk = Buffer.alloc(64 * blockBytes);
const zeros = Buffer.alloc(chunk.length);

/**
 * The SHA-256 of an open file's data, in hexadecimal digits, or a negated errno.
 *
 * Of a file with holes only what is not zero counts, block by block, each with its place: what a file system makes a
 * hole, and when, is its own affair, and a hole may be as large as it likes.
 */
export function contentDigest(file: number, sizeBytes: number, isSparse: boolean): string | Result {
  const hash = nodeCrypto().createHash("sha256");
  for (let at = 0; at < sizeBytes; ) {
    const start = isSparse ? nextData(file, at) : at;
    if (start < 0) return start;
    if (start >= sizeBytes) break;
    const length = readSomeAt(file, chunk.subarray(0, sizeBytes - start), start);
    if (length < 0) return length;
    if (length === 0) break;
    if (isSparse) addBlocks(hash, start, length);
    else hash.update(chunk.subarray(0, length));
    at = start + length;
  }
  return hash.digest("hex");
}

function addBlocks(hash: Hash, start: number, length: number): void {
  for (let at = 0; at < length; at += blockBytes) {
    const block = chunk.subarray(at, Math.min(at + blockBytes, length));
    if (block.equals(zeros.subarray(0, block.length))) continue;
    hash.update(`${start + at}\n`);
    hash.update(block);
  }
}
