import { Buffer } from "node:buffer";
import type { Memory } from "../base/memory-budget.ts";
import type { TreeFile } from "./tree-file.ts";

/** What a SHA-256 takes. */
const digestBytes = 32;

/** Stands for no digest. */
const none = Buffer.alloc(digestBytes);

/** The SHA-256 digests of many files by number, of which there may be none for some. */
export class ContentDigests {
  #bytes = Buffer.alloc(0);
  #count = 0;
  readonly #memory: Memory;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Keeps a digest, or that there is none, and gives its number. */
  add(digest: Uint8Array | undefined): number {
    const number = this.#count;
    this.#count += 1;
    if (this.#count * digestBytes > this.#bytes.length) this.#grow();
    this.#bytes.set(digest ?? none, number * digestBytes);
    return number;
  }

  /** As `add`, for a digest in hexadecimal digits. */
  addHex(digest: string | undefined): number {
    return this.add(digest === undefined ? undefined : Buffer.from(digest, "hex"));
  }

  /** In hexadecimal digits. */
  get(number: number): string | undefined {
    if (number >= this.#count) return undefined;
    const digest = this.#bytes.subarray(number * digestBytes, (number + 1) * digestBytes);
    return digest.equals(none) ? undefined : digest.toString("hex");
  }

  #grow(): void {
    const bytes = Buffer.alloc(Math.max(2 * this.#bytes.length, fewestDigests * digestBytes));
    this.#memory.spend(bytes.length - this.#bytes.length, "digests");
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }
}

/** For how many digests there is room at first. */
const fewestDigests = 64;

/** The SHA-256 of no bytes. */
const emptyDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** The SHA-256 of a regular file of a tree in hexadecimal digits, if it is known: `digests` has it by its `content`. */
export function digestOf(
  { sizeBytes, content }: Pick<TreeFile, "sizeBytes" | "content">,
  digests: { get(content: number): string | undefined },
): string | undefined {
  return sizeBytes === 0 ? emptyDigest : digests.get(content);
}
