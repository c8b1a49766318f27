import type { Limits } from "../base/limits.ts";
import { archiveLimitExceeded, BLOCK, BlockReader, invalidArchive } from "./block-reader.ts";
import { textOf } from "./byte-string.ts";
import { type DecoderState, HeaderBuffer, type Repair, refuseRepair } from "./decoder-state.ts";
import type { ByteSource, Entry } from "./entry.ts";
import { type Extensions, noExtensions, readExtension } from "./extensions.ts";
import { Header } from "./header.ts";
import { type Member, readMember } from "./member.ts";

export interface TarDecoderOptions {
  readonly limits: Limits;
  /** Whether every repair is an error. */
  readonly strict: boolean;
  /** Called for each repair. */
  readonly warning: Repair;
}

/**
 * Decodes an archive: `next` moves to the next entry, `read` returns the data of that entry until `undefined`.
 *
 *     for (let entry = decoder.next(); entry; entry = decoder.next()) {
 *       for (let piece = decoder.read(); piece; piece = decoder.read()) …
 *     }
 *
 * It reads v7, ustar, star, pax and GNU archives, also mixed. Data is not copied: a piece is a view of one of the
 * source's chunks and valid only until the next call. For a sparse file it is the data of its segments, in order. Data
 * that is not read is skipped. When `next` has returned `undefined`, the source has been read to its end. After an
 * error the decoder cannot be used any more.
 */
export class TarDecoder implements ByteSource {
  readonly #state: DecoderState;
  #member: Member | undefined;
  /** How many bytes of the entry's data have not been read yet. */
  #bodyBytes = 0;
  #ended = false;

  constructor(source: ByteSource, { limits, strict, warning }: TarDecoderOptions) {
    const repair = strict ? refuseRepair : warning;
    this.#state = { input: new BlockReader(source), header: new Header(), buffer: new HeaderBuffer(), limits, repair };
  }

  /** How many bytes of the archive have been read. Right after `next` this is where the entry's data begins. */
  get offset(): number {
    return this.#state.input.offset;
  }

  /** The next entry; `undefined` after the last. */
  next(): Entry | undefined {
    if (this.#ended) return undefined;
    this.#passBody();
    let extensions = noExtensions;
    let offset = this.#state.input.offset;
    while (this.#readHeader(extensions === noExtensions)) {
      if (extensions === noExtensions) offset = this.#state.header.offset;
      const extended = readExtension(this.#state, extensions);
      if (extended === undefined) return this.#begin(extensions, offset);
      extensions = extended;
    }
    if (extensions !== noExtensions)
      throw invalidArchive("decode the entry", offset, "only its extension headers are there");
    this.#ended = true;
    return undefined;
  }

  /** The next piece of the entry's data; `undefined` after the last. */
  read(): Uint8Array | undefined {
    if (this.#bodyBytes === 0) return undefined;
    const piece = this.#state.input.piece(this.#bodyBytes);
    if (piece === undefined) throw this.#truncated();
    this.#bodyBytes -= piece.length;
    return piece;
  }

  #begin(extensions: Extensions, offset: number): Entry {
    const member = readMember(this.#state, extensions, offset);
    this.#member = member;
    this.#bodyBytes = member.bodyBytes;
    return member.entry;
  }

  #passBody(): void {
    if (this.#member === undefined) return;
    const { input } = this.#state;
    this.#bodyBytes -= input.skip(this.#bodyBytes);
    if (this.#bodyBytes > 0) throw this.#truncated();
    // Missing padding does no harm; the missing end marker after it is noticed next.
    input.skip(this.#member.paddingBytes);
  }

  #truncated() {
    const { input } = this.#state;
    const path = this.#member === undefined ? "" : textOf(this.#member.entry.path);
    return invalidArchive(
      `read the data of "${path}"`,
      input.offset,
      `the archive ends ${this.#bodyBytes} bytes too early`,
    );
  }

  /**
   * Moves to the next header. Returns false if there is none: then the archive has ended and has been read to its end.
   * `mayPause` says whether a block of zeros may come before the header.
   */
  #readHeader(mayPause: boolean): boolean {
    const { header, input } = this.#state;
    const offset = input.offset;
    const length = input.fill(header.block);
    if (length < BLOCK) {
      this.#endWithoutMarker(header.block.subarray(0, length), offset);
      return false;
    }
    header.accept(offset);
    if (header.isZero) return this.#goOnAfterZeros(mayPause);
    const fault = header.fault();
    if (fault !== undefined) throw invalidArchive("decode the header", offset, fault + this.#bodyClaim());
    return true;
  }

  /** A likely reason for a missing header: the entry before states data although its type has none. */
  #bodyClaim(): string {
    if (this.#member === undefined || this.#member.claimedBytes <= 0) return "";
    const { entry, claimedBytes } = this.#member;
    return `, and "${textOf(entry.path)}" before it states ${claimedBytes} bytes of data, which a ${entry.type} cannot have`;
  }

  #endWithoutMarker(rest: Uint8Array, offset: number): void {
    if (!isZero(rest))
      throw invalidArchive("decode the header", offset, `the archive ends after ${rest.length} bytes of it`);
    // No bytes at all are an empty archive, and so an empty layer.
    if (offset + rest.length > 0)
      this.#state.repair("MISSING_END_MARKER", "the archive ends without two blocks of zeros");
  }

  /**
   * Called after a block of zeros. Returns true if a header follows.
   *
   * The end marker is two blocks of zeros; the second may be missing, as in Go. But some writers put one block of zeros
   * before an entry, and some leave other bytes after the last one. If a header follows, the archive goes on, as in
   * BusyBox. Anything else counts as bytes after the end, as in GNU tar and bsdtar, which end at the first block.
   */
  #goOnAfterZeros(mayPause: boolean): boolean {
    const { header, input, repair } = this.#state;
    const offset = input.offset;
    const second = header.block.subarray(0, input.fill(header.block));
    if (second.length === BLOCK && mayPause) {
      header.accept(offset);
      if (!header.isZero && header.fault() === undefined) {
        repair("LONE_ZERO_BLOCK", `a single block of zeros stands before the header at offset ${offset}`);
        return true;
      }
    }
    this.#drain(nonZeroBytes(second));
    return false;
  }

  /** Reads what follows the end, because digests cover it. GNU tar pads archives with zeros. */
  #drain(before: number): void {
    const { input, limits, repair } = this.#state;
    let count = before;
    for (let piece = input.piece(Infinity); piece !== undefined; piece = input.piece(Infinity)) {
      count += nonZeroBytes(piece);
      if (count <= limits.trailingBytes) continue;
      const found = "more bytes follow than are allowed";
      throw archiveLimitExceeded("end the archive", input.offset, found, "trailingBytes", limits.trailingBytes);
    }
    if (count > 0) repair("TRAILING_BYTES", `${count} bytes other than zero follow the end of the archive`);
  }
}

function nonZeroBytes(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte !== 0) count++;
  return count;
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
