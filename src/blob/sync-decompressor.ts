import { OciUnpackError } from "../base/errors.ts";
import type { ByteSpace } from "./output.ts";

/** What one call did. */
export interface Step {
  readonly readBytes: number;
  readonly writtenBytes: number;
}

/** A decompressor that works now, on this thread, from memory to memory. */
export interface SyncDecompressor {
  /** Decompresses as much as fits. Throws `CORRUPT_LAYER` where the data is malformed. */
  step(input: Uint8Array, output: Uint8Array): Step;
  close(): void;
}

/** Decompresses until neither input nor output is left. */
export function stepThrough(decompressor: SyncDecompressor, bytes: Uint8Array, output: ByteSpace): void {
  for (let rest = bytes; ; ) {
    const space = output.space();
    const { readBytes, writtenBytes } = decompressor.step(rest, space);
    output.commit(writtenBytes);
    rest = rest.subarray(readBytes);
    if (rest.length === 0 && writtenBytes < space.length) return;
    if (readBytes === 0 && writtenBytes === 0) {
      throw new OciUnpackError("CORRUPT_LAYER", "cannot decompress: zstd data: stuck");
    }
  }
}
