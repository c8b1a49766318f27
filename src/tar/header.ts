import { Buffer } from "node:buffer";
import { BLOCK, invalidArchive } from "./block-reader.ts";
import type { ByteString } from "./byte-string.ts";
import { numericField, octalField } from "./numbers.ts";

/** Which program's layout the bytes after the 257th have. */
type Dialect = "v7" | "ustar" | "star" | "gnu";

/**
 * Reads the fields of a header block in place. One Header is used for all headers of an archive.
 *
 * All dialects have the same first 257 bytes. Those with a magic number are the same up to the 345th.
 *
 *     0     100   108  116  124   136    148       156       157        257    263      265  297  329        337        345
 *     name  mode  uid  gid  size  mtime  checksum  typeFlag  linkName   magic  version  user group devMajor  devMinor   …
 *
 *     ustar  345 prefix (155)
 *     star   345 prefix (131)  476 atime  488 ctime                                                       508 "tar\0"
 *     gnu    345 atime  357 ctime  369 …  386 four segments  482 isExtended  483 realSize
 */
export class Header {
  /** The memory for the block. Call `accept` when a block has been read into it. */
  readonly block = Buffer.from(new ArrayBuffer(BLOCK));
  readonly #words = new Int32Array(this.block.buffer);
  /** The position of the block in the archive. */
  offset = 0;
  #sum = 0;
  #dialect: Dialect = "v7";

  /** Takes the bytes that are in `block` now as the current header. */
  accept(offset: number): void {
    this.offset = offset;
    this.#sum = sumOf(this.#words);
  }

  /** Whether the block is all zeros, as at the end of the archive. */
  get isZero(): boolean {
    return this.#sum === 0;
  }

  /** Why the block is not a header; `undefined` if it is one. Everything else has a meaning only in that case. */
  fault(): string | undefined {
    const { block } = this;
    let counted = this.#sum;
    for (let at = 148; at < 156; at++) counted += 0x20 - (block[at] ?? 0);
    const stated = octalField(block, 148, 8);
    // Some old programs added up signed bytes: a byte above 127 then counts 256 less.
    if (
      stated !== counted &&
      stated !== counted - 256 * highBytes(block, 0, 148) - 256 * highBytes(block, 156, BLOCK)
    ) {
      return `its checksum is ${Number.isNaN(stated) ? "not a number" : stated}, not ${counted}`;
    }
    this.#dialect = dialectOf(block);
    return undefined;
  }

  get typeFlag(): string {
    return String.fromCharCode(this.block[156] ?? 0);
  }

  get isGnu(): boolean {
    return this.#dialect === "gnu";
  }

  get path(): ByteString {
    const name = this.#text(0, 100);
    const prefix = this.#prefix();
    return prefix === "" ? name : (`${prefix}/${name}` as ByteString);
  }

  get linkPath(): ByteString {
    return this.#text(157, 100);
  }

  get mode(): number {
    return this.number("mode", 100, 8) & 0o7777;
  }

  get uid(): number {
    return this.number("uid", 108, 8);
  }

  get gid(): number {
    return this.number("gid", 116, 8);
  }

  get sizeBytes(): number {
    return this.number("size", 124, 12);
  }

  /** In seconds; infinite if it is not a safe integer. */
  get mtime(): number {
    return this.#seconds("mtime", 136);
  }

  /** In seconds, if the dialect has this field and it is not empty. */
  get atime(): number | undefined {
    if (this.#dialect === "star") return this.#seconds("atime", 476);
    if (this.#dialect === "gnu" && this.block[345] !== 0 && this.#hasGnuTimes()) return this.#seconds("atime", 345);
    return undefined;
  }

  get deviceMajor(): number {
    return this.#dialect === "v7" ? 0 : this.number("device major", 329, 8);
  }

  get deviceMinor(): number {
    return this.#dialect === "v7" ? 0 : this.number("device minor", 337, 8);
  }

  /** A field that must hold a safe integer. */
  number(field: string, start: number, width: number): number {
    const value = numericField(this.block, start, width);
    if (!Number.isSafeInteger(value)) throw this.#malformed(field, start, width, value);
    return value;
  }

  #seconds(field: string, start: number): number {
    const value = numericField(this.block, start, 12);
    if (Number.isNaN(value)) throw this.#malformed(field, start, 12, value);
    return value;
  }

  #malformed(field: string, start: number, width: number, value: number) {
    const found = Number.isNaN(value) ? "is not a number" : "is out of range";
    const bytes = this.block.toString("hex", start, start + width);
    return invalidArchive("decode the header", this.offset, `its ${field} field ${found} (hexadecimal ${bytes})`);
  }

  /**
   * Go before 1.8, and so the Docker of that time, wrote ustar's prefix into headers with GNU's magic number. All
   * programs in Go still read it there, if it is ASCII and the fields for GNU's times have no numbers.
   */
  #prefix(): ByteString {
    const { block } = this;
    const hasPrefix = block[345] !== 0 && this.#dialect !== "v7";
    if (!hasPrefix) return "" as ByteString;
    if (this.#dialect !== "gnu") return this.#text(345, this.#dialect === "star" ? 131 : 155);
    return this.#hasGnuTimes() || highBytes(block, 345, 500) > 0 ? ("" as ByteString) : this.#text(345, 155);
  }

  #hasGnuTimes(): boolean {
    return Number.isFinite(numericField(this.block, 345, 12)) && Number.isFinite(numericField(this.block, 357, 12));
  }

  /** The text of a field, up to its first NUL. */
  #text(start: number, width: number): ByteString {
    const { block } = this;
    const limit = start + width;
    let end = start;
    while (end < limit && block[end] !== 0) end++;
    return block.toString("latin1", start, end) as ByteString;
  }
}

/** The smallest valid checksum: its own eight bytes count as spaces. */
const leastChecksum = 8 * 0x20;

/**
 * Whether bytes begin with the header of an entry. A sum of signed bytes is not accepted: for a short gzip member with
 * zeros after it the sum may be 0, and a field of zeros states 0.
 */
export function beginsWithHeader(bytes: Uint8Array): boolean {
  if (bytes.length < BLOCK) return false;
  const header = new Header();
  header.block.set(bytes.subarray(0, BLOCK));
  header.accept(0);
  return header.fault() === undefined && octalField(header.block, 148, 8) >= leastChecksum;
}

/** Adds up all bytes, two at a time in the two halves of a word: 128 times 255 fits into a half. */
function sumOf(words: Int32Array): number {
  let even = 0;
  let odd = 0;
  for (const word of words) {
    even += word & 0x00ff00ff;
    odd += (word >>> 8) & 0x00ff00ff;
  }
  return (even & 0xffff) + (even >>> 16) + (odd & 0xffff) + (odd >>> 16);
}

function highBytes(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at++) count += (bytes[at] ?? 0) >>> 7;
  return count;
}

function dialectOf(block: Buffer): Dialect {
  if (block.readUInt32BE(257) !== 0x75737461 || block[261] !== 0x72) return "v7"; // "ustar"
  if (block[262] === 0) return block.readUInt32BE(508) === 0x74617200 ? "star" : "ustar"; // "tar\0"
  return block[262] === 0x20 && block[263] === 0x20 && block[264] === 0 ? "gnu" : "v7"; // "ustar  \0"
}
