import { limitExceeded, OciUnpackError } from "../base/errors.ts";
import type { CompressedInput } from "./compressed-input.ts";

/*
 * A frame of zstd data (RFC 8878, section 3.1.1):
 *
 *   magic 4 │ descriptor 1 │ window 0–1 │ dictionary 0–4 │ content size 0–8 │ block … block │ checksum 0–4
 *
 * and a block: 3 bytes of header, which say how long it is and whether it is the last one, and its content.
 */
const MAGIC_BYTES = 4;
const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;
/** The upper 28 bits of the magic number of a skippable frame. */
const SKIPPABLE = 0x184d2a5;
/** The longest that a frame's header can be. */
const LONGEST_HEADER_BYTES = 18;

/**
 * Passes exactly the bytes of one frame on, so that the caller can look at what follows. A skippable frame is not
 * passed on.
 *
 * The decompressors could read several frames themselves, but they would take anything that follows for another frame.
 * The size of the window is limited here as well, in the same way for both decompressors.
 */
export function passFrame(input: CompressedInput, windowLog: number, write: (bytes: Uint8Array) => void): void {
  const header = input.peekAtLeast(LONGEST_HEADER_BYTES);
  if (little(header, 0, MAGIC_BYTES) >>> 4 === SKIPPABLE) return skipFrame(input);
  const { headerBytes, windowBytes, hasChecksum } = parseHeader(header);
  if (windowBytes > 2 ** windowLog) {
    const message = `cannot decompress: a zstd frame needs a window of ${windowBytes} bytes`;
    throw limitExceeded(message, "zstdWindowLog", { allowed: windowLog });
  }
  pass(input, headerBytes, write);
  for (let isLast = false; !isLast; ) {
    const block = parseBlockHeader(input.peekAtLeast(BLOCK_HEADER_BYTES));
    isLast = block.isLast;
    pass(input, BLOCK_HEADER_BYTES + block.contentBytes, write);
  }
  if (hasChecksum) pass(input, CHECKSUM_BYTES, write);
}

function skipFrame(input: CompressedInput): void {
  const size = little(input.peekAtLeast(MAGIC_BYTES + 4), MAGIC_BYTES, 4);
  pass(input, MAGIC_BYTES + 4 + size);
}

function pass(input: CompressedInput, length: number, write?: (bytes: Uint8Array) => void): void {
  if (input.takeAll(length, write) > 0) {
    throw new OciUnpackError("CORRUPT_LAYER", "cannot decompress: the zstd data ends too early");
  }
}

const dictionaryBytes = [0, 1, 2, 4] as const;
const contentSizeBytes = [0, 2, 4, 8] as const;

interface FrameHeader {
  readonly headerBytes: number;
  readonly windowBytes: number;
  readonly hasChecksum: boolean;
}

/** Parses the header of a frame. Its first five bytes must be there; they tell how long it is. */
function parseHeader(bytes: Uint8Array): FrameHeader {
  const descriptor = bytes[MAGIC_BYTES] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeWidth = contentSizeBytes[(descriptor >>> 6) as 0 | 1 | 2 | 3] || (isSingleSegment ? 1 : 0);
  const dictionaryWidth = dictionaryBytes[(descriptor & 3) as 0 | 1 | 2 | 3];
  const windowWidth = isSingleSegment ? 0 : 1;
  const sizeStart = MAGIC_BYTES + 1 + windowWidth + dictionaryWidth;
  return {
    headerBytes: sizeStart + sizeWidth,
    windowBytes: isSingleSegment
      ? little(bytes, sizeStart, sizeWidth) + (sizeWidth === 2 ? 256 : 0)
      : windowBytesOf(bytes[MAGIC_BYTES + 1] ?? 0),
    hasChecksum: (descriptor & 4) !== 0,
  };
}

/** Parses the header of a block. It states the size of the content, except for a block that is one repeated byte. */
function parseBlockHeader(bytes: Uint8Array): { readonly isLast: boolean; readonly contentBytes: number } {
  const header = little(bytes, 0, BLOCK_HEADER_BYTES);
  const isRepeatedByte = ((header >>> 1) & 3) === 1;
  return { isLast: (header & 1) === 1, contentBytes: isRepeatedByte ? 1 : header >>> 3 };
}

function windowBytesOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >>> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** A little-endian number of up to 53 bits. A missing byte counts as 0; that it is missing is noticed later. */
function little(bytes: Uint8Array, start: number, width: number): number {
  let value = 0;
  for (let index = width - 1; index >= 0; index -= 1) value = value * 256 + (bytes[start + index] ?? 0);
  return value;
}
