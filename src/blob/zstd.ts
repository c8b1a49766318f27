import type { CompressedInput } from "./compressed-input.ts";
import { copyBytes, type DecompressedOutput } from "./decompressed-output.ts";
import { nativeZstd, stepThrough } from "./native-zstd.ts";
import { passFrame } from "./zstd-frame.ts";
import { zstdInWebAssembly } from "./zstd-in-web-assembly.ts";

/**
 * How many times more than with deflate a compressed byte can stand for: a block of four bytes repeats one byte 131,072
 * times (RFC 8878, section 3.1.1.2.2); four bytes of deflate data stand for about 4,128.
 */
export const zstdExpansion = 32;

/** Decompresses zstd frames (RFC 8878) one after the other. */
interface ZstdDecompressor {
  /** Decompresses the next frame of the input. */
  frame(): void;
  close(): void;
}

/** A decompressor from `input` to `output`. No frame may need a window of more than `2 ** windowLog` bytes. */
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

/** Copies bytes to the output as they are. */
export function copy(bytes: Uint8Array, output: DecompressedOutput): void {
  for (let rest = bytes; rest.length > 0; ) {
    const space = output.space();
    const length = Math.min(space.length, rest.length);
    copyBytes(rest.subarray(0, length), space);
    output.commit(length);
    rest = rest.subarray(length);
  }
}
