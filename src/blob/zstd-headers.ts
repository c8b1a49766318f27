/*
 * A frame of zstd data (RFC 8878, section 3.1.1):
 *
 *   magic 4 │ descriptor 1 │ window 0–1 │ dictionary 0–4 │ content size 0–8 │ block … block │ checksum 0–4
 *
 * and a block: 3 bytes of header, which say how long it is and whether it is the last one, and its content.
 */
export const MAGIC_BYTES = 4;
export const BLOCK_HEADER_BYTES = 3;
export const CHECKSUM_BYTES = 4;
/** In the upper 28 bits of a frame's magic number. */
export const SKIPPABLE = 0x184d2a5;

const dictionaryBytes = [0, 1, 2, 4] as const;
const contentSizeBytes = [0, 2, 4, 8] as const;

export interface FrameHeader {
  readonly headerBytes: number;
  readonly windowBytes: number;
  readonly hasChecksum: boolean;
}

/** Reads a frame's header, of which at least the first five bytes must be there to know how long it is. */
export function parseHeader(bytes: Uint8Array): FrameHeader {
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

/** Reads a block's header. What is called its size is that of its content, unless that is one byte to be repeated. */
export function parseBlockHeader(bytes: Uint8Array): { readonly isLast: boolean; readonly contentBytes: number } {
  const header = little(bytes, 0, BLOCK_HEADER_BYTES);
  const isRepeatedByte = ((header >>> 1) & 3) === 1;
  return { isLast: (header & 1) === 1, contentBytes: isRepeatedByte ? 1 : header >>> 3 };
}

function windowBytesOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >>> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** Up to 53 bits of a little-endian number; a byte that is not there counts as 0, and is missed when it is passed on. */
export function little(bytes: Uint8Array, start: number, width: number): number {
  let value = 0;
  for (let index = width - 1; index >= 0; index -= 1) value = value * 256 + (bytes[start + index] ?? 0);
  return value;
}
