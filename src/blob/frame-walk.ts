import {
  blockHeaderBytes,
  checksumBytes,
  type FrameHeader,
  kindOfFrame,
  longestHeaderBytes,
  parseBlockHeader,
  parseFrameHeader,
  skippableBytes,
  skippableHeaderBytes,
  tellingHeaderBytes,
} from "./zstd-headers.ts";

/** A frame of zstd data, by its headers. Places count from the input's beginning. */
export interface Frame {
  readonly start: number;
  readonly end: number;
  readonly windowBytes: number;
  /** No more bytes come of it. */
  readonly mostBytes: number;
}

/**
 * Walks over zstd data from header to header, and tells where each frame ends. What is no frame ends the walk: zeros
 * between frames, too, for no program writes them.
 */
export class FrameWalk {
  readonly #onFrame: (frame: Frame) => void;
  /** What there is of the next header. */
  readonly #header = new Uint8Array(longestHeaderBytes);
  #headerBytes = 0;
  /** How much there is until then. */
  #skipBytes = 0;
  #at = 0;
  #isLost = false;
  #start = 0;
  /** Of the frame that the walk is in; `undefined` between frames, and in skippable ones. */
  #frame: FrameHeader | undefined;
  #blocksMostBytes = 0;
  #isAtLastBlock = false;

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  /** Where the frame begins that it has come to. */
  get frameStart(): number {
    return this.#start;
  }

  /** Goes on over the next bytes. */
  add(bytes: Uint8Array): void {
    for (let index = 0; index < bytes.length && !this.#isLost; ) {
      const skipped = Math.min(this.#skipBytes, bytes.length - index);
      this.#skipBytes -= skipped;
      index += skipped;
      this.#at += skipped;
      if (skipped === 0) {
        this.#header[this.#headerBytes] = bytes[index] ?? 0;
        this.#headerBytes += 1;
        index += 1;
        this.#at += 1;
        if (this.#frame === undefined) this.#beginFrame();
        else this.#beginBlock(this.#frame);
      }
      if (this.#skipBytes === 0 && this.#isAtLastBlock) this.#endFrame();
    }
  }

  #beginFrame(): void {
    if (this.#headerBytes < tellingHeaderBytes) return;
    const kind = kindOfFrame(this.#header);
    this.#isLost = kind === "something else";
    const frame = kind === "frame" ? parseFrameHeader(this.#header) : undefined;
    const length = frame?.headerBytes ?? skippableHeaderBytes;
    if (this.#headerBytes < length) return;
    this.#frame = frame;
    this.#blocksMostBytes = 0;
    this.#headerBytes = 0;
    if (frame !== undefined) return;
    this.#skipBytes = skippableBytes(this.#header);
    this.#isAtLastBlock = true;
  }

  #beginBlock({ hasChecksum, windowBytes }: FrameHeader): void {
    if (this.#headerBytes < blockHeaderBytes) return;
    const { isLast, contentBytes, mostBytes } = parseBlockHeader(this.#header);
    this.#skipBytes = contentBytes + (isLast && hasChecksum ? checksumBytes : 0);
    this.#blocksMostBytes += Math.min(mostBytes, windowBytes);
    this.#isAtLastBlock = isLast;
    this.#headerBytes = 0;
  }

  #endFrame(): void {
    const { windowBytes = 0, contentBytes = Number.POSITIVE_INFINITY } = this.#frame ?? {};
    const mostBytes = Math.min(contentBytes, this.#blocksMostBytes);
    const start = this.#start;
    this.#start = this.#at;
    this.#frame = undefined;
    this.#isAtLastBlock = false;
    this.#onFrame({ start, end: this.#at, windowBytes, mostBytes });
  }
}
