import { Decompress } from "fzstd";
import { OciUnpackError } from "../errors.ts";
import { copyBytes } from "./copy-bytes.ts";
import type { Input } from "./input.ts";
import type { Output } from "./output.ts";
import { nativeZstd, type SyncDecompressor } from "./zlib-handle.ts";
import { passFrame } from "./zstd-frame.ts";

/** A decompressor of zstd frames (RFC 8878), one after the other. */
export interface ZstdDecompressor {
  /** Decompresses the frame that the input has next. */
  frame(): void;
  close(): void;
}

/** Decompresses frames of `input` into `output`; none of them may ask for a window of more than `2 ** windowLog` bytes. */
export function zstdDecompressor(input: Input, windowLog: number, output: Output): ZstdDecompressor {
  const native = nativeZstd(windowLog);
  const write = native === undefined ? inJavaScript(output) : (bytes: Uint8Array) => stepThrough(native, bytes, output);
  return {
    frame: () => passFrame(input, windowLog, write),
    close: () => native?.close(),
  };
}

/** Decompresses until neither input nor output is left. */
function stepThrough(native: SyncDecompressor, bytes: Uint8Array, output: Output): void {
  for (let rest = bytes; ; ) {
    const space = output.space();
    const { readBytes, writtenBytes } = native.step(rest, space);
    output.commit(writtenBytes);
    rest = rest.subarray(readBytes);
    if (rest.length === 0 && writtenBytes < space.length) return;
    if (readBytes === 0 && writtenBytes === 0) {
      throw new OciUnpackError("CORRUPT_LAYER", "cannot decompress: zstd data: stuck");
    }
  }
}

/** Node before 22.15 has no zstd of its own. */
function inJavaScript(output: Output): (bytes: Uint8Array) => void {
  const decompress = new Decompress((bytes) => copy(bytes, output));
  return (bytes) => {
    try {
      decompress.push(Uint8Array.from(bytes)); // it keeps what it cannot use yet, so it gets memory of its own
    } catch (error) {
      if (!(error instanceof Error && "code" in error && typeof error.code === "number")) throw error;
      throw new OciUnpackError("CORRUPT_LAYER", `cannot decompress: zstd data: ${error.message}`, { cause: error });
    }
  };
}

/** Puts bytes that lie elsewhere into the output. */
export function copy(bytes: Uint8Array, output: Output): void {
  for (let rest = bytes; rest.length > 0; ) {
    const space = output.space();
    const length = Math.min(space.length, rest.length);
    copyBytes(rest.subarray(0, length), space);
    output.commit(length);
    rest = rest.subarray(length);
  }
}
