import { OciUnpackError } from "../base/errors.ts";
import type { LayerCompression } from "../oci/media-type.ts";
import { BLOCK } from "../tar/block-reader.ts";
import type { ByteSource } from "../tar/entry.ts";
import { beginsWithHeader } from "../tar/header.ts";
import { kindOfFrame } from "./zstd-headers.ts";

/** Reads a ByteSource in pieces: the caller looks at the next bytes and takes as many of them as it has used. */
export class CompressedInput {
  readonly #source: ByteSource;
  #chunk: Uint8Array = new Uint8Array(0);
  #takenBytes = 0;
  #hasEnded = false;
  /** Called before the source is asked for more, for which it may have to wait. */
  beforeReading: () => void = () => {};

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** How many bytes have been taken. */
  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** How many bytes `peek` returns without reading the source. */
  get inHandBytes(): number {
    return this.#chunk.length;
  }

  /** The next bytes that are in memory, or else the next chunk of the source. `undefined` at the end. */
  peek(): Uint8Array | undefined {
    if (this.#chunk.length > 0) return this.#chunk;
    const next = this.#read();
    if (next !== undefined) this.#chunk = next;
    return next;
  }

  /** The next bytes in one piece: at least `length` of them, or all if there are fewer. */
  peekAtLeast(length: number): Uint8Array {
    while (this.#chunk.length < length) {
      const rest = Uint8Array.from(this.#chunk);
      const next = this.#read();
      if (next === undefined) {
        this.#chunk = rest;
        break;
      }
      this.#chunk = new Uint8Array(rest.length + next.length);
      this.#chunk.set(rest);
      this.#chunk.set(next, rest.length);
    }
    return this.#chunk;
  }

  /** Takes `length` of the bytes that `peek` returned. More than these is a defect of the program. */
  take(length: number): void {
    if (!(length >= 0 && length <= this.#chunk.length)) {
      throw new RangeError(`cannot take ${length} bytes of input: there are ${this.#chunk.length}`);
    }
    this.#chunk = this.#chunk.subarray(length);
    this.#takenBytes += length;
  }

  /**
   * Takes the next `length` bytes; `use` sees them before, piece by piece. Returns how many of them there are not, because
   * the input ends.
   */
  takeAll(length: number, use: (piece: Uint8Array) => void = () => {}): number {
    let left = length;
    while (left > 0) {
      const piece = this.peek()?.subarray(0, left);
      if (piece === undefined) break;
      use(piece);
      this.take(piece.length);
      left -= piece.length;
    }
    return left;
  }

  /** The next byte. Throws `CORRUPT_LAYER` at the end. */
  byte(): number {
    const byte = this.peek()?.[0];
    if (byte === undefined)
      throw new OciUnpackError("CORRUPT_LAYER", "cannot decompress: the compressed data ends too early");
    this.take(1);
    return byte;
  }

  /** Does not read the source after its end: what a ring yields then belongs to the next layer. */
  #read(): Uint8Array | undefined {
    if (this.#hasEnded) return undefined;
    this.beforeReading();
    const next = this.#source.read();
    this.#hasEnded = next === undefined;
    return next;
  }
}

/**
 * How many bytes tell the compression: a whole header of an archive, because its first bytes may look like a magic
 * number.
 */
export const tellingBytes = BLOCK;

/** The length of the longest magic number of a layer's compression. */
export const magicBytes = 4;

/**
 * The compression of a layer, by its first `tellingBytes` bytes, or all of them if there are fewer.
 *
 * If they are the header of an archive there is none: the header's checksum is stronger than a magic number. Unknown
 * bytes count as an archive, because the decoder of archives reports the error better.
 */
export function compressionOf(bytes: Uint8Array): LayerCompression {
  const magic = magicOf(bytes);
  if (magic === "none" || beginsWithHeader(bytes)) return "none";
  if (magic === "gzip" || magic === "zstd") return magic;
  throw new OciUnpackError("UNSUPPORTED_MEDIA_TYPE", `cannot decompress: ${magic} is not a compression of layers`, {
    hint: "gzip, zstd and uncompressed layers are supported",
  });
}

/** The compression by the magic number alone. */
export function magicOf(bytes: Uint8Array): LayerCompression | "xz" | "bzip2" {
  const magic = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length >= 2 && magic.getUint16(0) === 0x1f8b) return "gzip";
  if (bytes.length < magicBytes) return "none";
  const word = magic.getUint32(0, true);
  if (kindOfFrame(bytes) !== "something else") return "zstd";
  if (word === 0x587a37fd) return "xz";
  return magic.getUint32(0) >>> 8 === 0x425a68 ? "bzip2" : "none";
}
