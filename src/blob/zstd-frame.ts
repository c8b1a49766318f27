import { limitExceeded, OciUnpackError } from "../base/errors.ts";
import type { CompressedInput } from "./compressed-input.ts";
import {
  blockHeaderBytes,
  checksumBytes,
  kindOfFrame,
  longestHeaderBytes,
  parseBlockHeader,
  parseFrameHeader,
  skippableBytes,
  skippableHeaderBytes,
} from "./zstd-headers.ts";

/**
 * Passes exactly the bytes of one frame on, so that the caller can look at what follows. A skippable frame is not
 * passed on.
 *
 * The decompressors could read several frames themselves, but they would take anything that follows for another frame.
 * The size of the window is limited here as well, in the same way for both decompressors.
 */
export function passFrame(input: CompressedInput, windowLog: number, write: (bytes: Uint8Array) => void): void {
  const header = input.peekAtLeast(longestHeaderBytes);
  if (kindOfFrame(header) === "skippable frame") return skipFrame(input);
  const { headerBytes, windowBytes, hasChecksum } = parseFrameHeader(header);
  if (windowBytes > 2 ** windowLog) {
    const message = `cannot decompress: a zstd frame needs a window of ${windowBytes} bytes`;
    throw limitExceeded(message, "zstdWindowLog", { allowed: windowLog });
  }
  pass(input, headerBytes, write);
  for (let isLast = false; !isLast; ) {
    const block = parseBlockHeader(input.peekAtLeast(blockHeaderBytes));
    isLast = block.isLast;
    pass(input, blockHeaderBytes + block.contentBytes, write);
  }
  if (hasChecksum) pass(input, checksumBytes, write);
}

function skipFrame(input: CompressedInput): void {
  const size = skippableBytes(input.peekAtLeast(skippableHeaderBytes));
  pass(input, skippableHeaderBytes + size);
}

function pass(input: CompressedInput, length: number, write?: (bytes: Uint8Array) => void): void {
  if (input.takeAll(length, write) > 0) {
    throw new OciUnpackError("CORRUPT_LAYER", "cannot decompress: the zstd data ends too early");
  }
}
