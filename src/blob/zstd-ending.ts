import {
  BLOCK_HEADER_BYTES,
  CHECKSUM_BYTES,
  little,
  MAGIC_BYTES,
  parseBlockHeader,
  parseHeader,
  SKIPPABLE,
} from "./zstd-frame.ts";

/**
 * Finds its way through zstd frames while they pass, to know at the end whether the last one was whole.
 *
 * Node's stream says nothing when its input ends in the middle of a frame (seen on Node 22).
 */
export class ZstdEnding {
  /** The beginning of a header whose rest has not come yet. */
  #header: number[] = [];
  /** What passes before the next header does. */
  #skipBytes = 0;
  #next: "frame" | "block" = "frame";
  #hasChecksum = false;

  get isWhole(): boolean {
    return this.#next === "frame" && this.#skipBytes === 0 && this.#header.length === 0;
  }

  update(chunk: Uint8Array): void {
    for (let position = 0; position < chunk.length; ) {
      const skipped = Math.min(this.#skipBytes, chunk.length - position);
      this.#skipBytes -= skipped;
      position += skipped;
      const byte = chunk[position];
      if (byte === undefined) return;
      this.#header.push(byte);
      position += 1;
      if (this.#next === "frame") this.#readFrameHeader();
      else this.#readBlockHeader();
    }
  }

  #readFrameHeader(): void {
    const bytes = Uint8Array.from(this.#header);
    if (bytes.length <= MAGIC_BYTES) return;
    if (little(bytes, 0, MAGIC_BYTES) >>> 4 === SKIPPABLE) {
      if (bytes.length === MAGIC_BYTES + 4) this.#pass("frame", little(bytes, MAGIC_BYTES, 4));
      return;
    }
    const { headerBytes, hasChecksum } = parseHeader(bytes);
    if (bytes.length < headerBytes) return;
    this.#hasChecksum = hasChecksum;
    this.#pass("block", 0);
  }

  #readBlockHeader(): void {
    if (this.#header.length < BLOCK_HEADER_BYTES) return;
    const { isLast, contentBytes } = parseBlockHeader(Uint8Array.from(this.#header));
    const checksumBytes = isLast && this.#hasChecksum ? CHECKSUM_BYTES : 0;
    this.#pass(isLast ? "frame" : "block", contentBytes + checksumBytes);
  }

  #pass(next: "frame" | "block", skipBytes: number): void {
    this.#header = [];
    this.#next = next;
    this.#skipBytes = skipBytes;
  }
}
