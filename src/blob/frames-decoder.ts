import { isOciUnpackError } from "../base/errors.ts";
import { CompressedInput } from "./compressed-input.ts";
import { type SyncDecompressor, stepThrough } from "./native-zstd.ts";
import { passSmallFrames } from "./small-frames.ts";
import { zstdDecompressor } from "./zstd.ts";
import { passFrame } from "./zstd-frame.ts";

/** The largest window of a frame that is decoded here, as a power of two: that of zstd's level 19. */
export const mostWindowLog = 23;

/** Decodes whole frames of zstd data that are in memory, into memory. */
export class FramesDecoder {
  #decompressor: SyncDecompressor | undefined;
  #output = new Uint8Array(0);

  /**
   * What comes of some frames: at most `mostBytes`, valid until the next ones are decoded. `undefined` if anything is
   * wrong, which is found again where they are decoded in order.
   */
  decode(frames: Uint8Array, mostBytes: number): Uint8Array | undefined {
    // One byte more: so there is space whenever the decompressor is asked whether there is more.
    if (this.#output.length <= mostBytes) this.#output = new Uint8Array(mostBytes + 1);
    try {
      return this.#output.subarray(0, this.#decode(frames));
    } catch (error) {
      if (!isOciUnpackError(error)) throw error;
      this.#decompressor?.close();
      this.#decompressor = undefined;
      return undefined;
    }
  }

  /** Returns how many bytes came out. */
  #decode(frames: Uint8Array): number {
    const decompressor = this.#decompressor ?? zstdDecompressor(mostWindowLog);
    this.#decompressor = decompressor;
    const chunks = [frames];
    const input = new CompressedInput({ read: () => chunks.shift() });
    let written = 0;
    const output = {
      space: () => this.#output.subarray(written),
      commit(length: number) {
        written += length;
      },
    };
    while (input.peek() !== undefined) {
      if (passSmallFrames(input, mostWindowLog, decompressor, output)) continue;
      passFrame(input, mostWindowLog, (bytes) => stepThrough(decompressor, bytes, output));
    }
    return written;
  }
}
