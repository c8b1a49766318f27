import type { CompressedInput } from "./compressed-input.ts";
import { copyBytes, type DecompressedOutput } from "./decompressed-output.ts";
import { nativeZstd, stepThrough } from "./native-zstd.ts";
import { passFrame } from "./zstd-frame.ts";
import { zstdInWebAssembly } from "./zstd-in-web-assembly.ts";

/**
 * How many times as much as deflate's a compressed byte may stand for: a block of four repeats one byte 131,072 times
 * (RFC 8878, section 3.1.1.2.2), four bytes of deflate data stand for some 4,128.
 */
export const zstdExpansion = 32;

/** A decompressor of zstd frames (RFC 8878), one after the other. */
interface ZstdDecompressor {
  /** Decompresses the frame that the input has next. */
  frame(): void;
  close(): void;
}

/**
 * Decompresses frames of `input` into `output`; none of them may ask for a window of more than `2 ** windowLog` bytes.
 */
export function zstdDecompressor(
  input: CompressedInput,
  windowLog: number,
  output: DecompressedOutput,
): ZstdDecompressor {
  const decompressor = nativeZstd(windowLog) ?? zstdInWebAssembly();
  return {
    frame: () => passFrame(input, windowLog, (bytes) => stepThrough(decompressor, bytes, output)),
    close: () => decompressor.close(),
  };
}

/** Puts bytes that lie elsewhere into the output. */
export function copy(bytes: Uint8Array, output: DecompressedOutput): void {
  for (let rest = bytes; rest.length > 0; ) {
    const space = output.space();
    const length = Math.min(space.length, rest.length);
    copyBytes(rest.subarray(0, length), space);
    output.commit(length);
    rest = rest.subarray(length);
  }
}
