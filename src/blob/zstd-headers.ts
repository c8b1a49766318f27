/*
 * A frame of zstd data (RFC 8878, section 3.1.1):
 *
 *   magic 4 │ descriptor 1 │ window 0–1 │ dictionary 0–4 │ content size 0–8 │ block … block │ checksum 0–4
 *
 * and a block: 3 bytes of header, which say how long it is and whether it is the last one, and its content. A skippable
 * frame: magic 4 │ size 4 │ content.
 */
const MAGIC = 0xfd2fb528;
const MAGIC_BYTES = 4;
/** The upper 28 bits of the magic number of a skippable frame. */
const SKIPPABLE = 0x184d2a5;

export const blockHeaderBytes = 3;
export const checksumBytes = 4;
export const skippableHeaderBytes = MAGIC_BYTES + 4;

/** The longest that a frame's header can be. */
export const longestHeaderBytes = 18;

/** So many bytes of a frame's header tell how long it is. */
export const tellingHeaderBytes = MAGIC_BYTES + 1;

/** The most that may come of a block. */
export const mostBlockBytes = 128 * 1024;

/** What begins here, by its magic number. */
export function kindOfFrame(bytes: Uint8Array): "frame" | "skippable frame" | "something else" {
  const magic = little(bytes, 0, MAGIC_BYTES);
  if (magic >>> 4 === SKIPPABLE) return "skippable frame";
  return magic === MAGIC ? "frame" : "something else";
}

/** How long the content of a skippable frame is. */
export function skippableBytes(bytes: Uint8Array): number {
  return little(bytes, MAGIC_BYTES, 4);
}

const dictionaryBytes = [0, 1, 2, 4] as const;
const contentSizeBytes = [0, 2, 4, 8] as const;

export interface FrameHeader {
  readonly headerBytes: number;
  readonly windowBytes: number;
  /** How long its content is, if it says so. */
  readonly contentBytes: number | undefined;
  readonly hasChecksum: boolean;
}

/** Parses the header of a frame. Its first `tellingHeaderBytes` must be there; they tell how long it is. */
export function parseFrameHeader(bytes: Uint8Array): FrameHeader {
  const descriptor = bytes[MAGIC_BYTES] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeWidth = contentSizeBytes[(descriptor >>> 6) as 0 | 1 | 2 | 3] || (isSingleSegment ? 1 : 0);
  const dictionaryWidth = dictionaryBytes[(descriptor & 3) as 0 | 1 | 2 | 3];
  const windowWidth = isSingleSegment ? 0 : 1;
  const sizeStart = MAGIC_BYTES + 1 + windowWidth + dictionaryWidth;
  const statedBytes = little(bytes, sizeStart, sizeWidth) + (sizeWidth === 2 ? 256 : 0);
  return {
    headerBytes: sizeStart + sizeWidth,
    windowBytes: isSingleSegment ? statedBytes : windowBytesOf(bytes[MAGIC_BYTES + 1] ?? 0),
    contentBytes: sizeWidth > 0 ? statedBytes : undefined,
    hasChecksum: (descriptor & 4) !== 0,
  };
}

const REPEATED = 1;
const COMPRESSED = 2;

export interface BlockHeader {
  readonly isLast: boolean;
  readonly contentBytes: number;
  /** No more bytes come of it. */
  readonly mostBytes: number;
}

/** Parses the header of a block. It states the size of the content, except for a block that is one repeated byte. */
export function parseBlockHeader(bytes: Uint8Array): BlockHeader {
  const header = little(bytes, 0, blockHeaderBytes);
  const kind = (header >>> 1) & 3;
  const size = header >>> 3;
  return {
    isLast: (header & 1) === 1,
    contentBytes: kind === REPEATED ? 1 : size,
    mostBytes: kind === COMPRESSED ? mostBlockBytes : size,
  };
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
