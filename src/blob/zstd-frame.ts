import { OciUnpackError } from "../base/errors.ts";
import type { Input } from "./input.ts";
import {
  BLOCK_HEADER_BYTES,
  CHECKSUM_BYTES,
  little,
  MAGIC_BYTES,
  parseBlockHeader,
  parseHeader,
  SKIPPABLE,
} from "./zstd-headers.ts";

/** Of a frame. */
const LONGEST_HEADER = 18;

/**
 * Passes the bytes of one frame on, exactly those, so that what follows can be looked at. A skippable frame is left out.
 *
 * The decompressors would go on by themselves, but take whatever follows for the next frame; and how large a window they
 * make room for is decided here, alike for both.
 */
export function passFrame(input: Input, windowLog: number, write: (bytes: Uint8Array) => void): void {
  const header = input.peekAtLeast(LONGEST_HEADER);
  if (little(header, 0, MAGIC_BYTES) >>> 4 === SKIPPABLE) return skipFrame(input);
  const { headerBytes, windowBytes, hasChecksum } = parseHeader(header);
  if (windowBytes > 2 ** windowLog) {
    throw new OciUnpackError(
      "LIMIT_EXCEEDED",
      `cannot decompress: a zstd frame needs a window of ${windowBytes} bytes`,
      {
        hint: `raise the limit zstdWindowLog, now ${windowLog}, if you trust the image`,
      },
    );
  }
  pass(input, headerBytes, write);
  for (let isLast = false; !isLast; ) {
    const block = parseBlockHeader(input.peekAtLeast(BLOCK_HEADER_BYTES));
    isLast = block.isLast;
    pass(input, BLOCK_HEADER_BYTES + block.contentBytes, write);
  }
  if (hasChecksum) pass(input, CHECKSUM_BYTES, write);
}

function skipFrame(input: Input): void {
  const size = little(input.peekAtLeast(MAGIC_BYTES + 4), MAGIC_BYTES, 4);
  pass(input, MAGIC_BYTES + 4 + size, () => {});
}

function pass(input: Input, length: number, write: (bytes: Uint8Array) => void): void {
  for (let left = length; left > 0; ) {
    const chunk = input.peek();
    if (chunk === undefined) {
      throw new OciUnpackError("CORRUPT_LAYER", "cannot decompress: the zstd data ends too early");
    }
    const piece = chunk.subarray(0, left);
    write(piece);
    input.take(piece.length);
    left -= piece.length;
  }
}
