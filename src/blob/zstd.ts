import { Decompress } from "fzstd";
import { OciUnpackError } from "../errors.ts";
import type { Input } from "./input.ts";
import type { Output } from "./output.ts";
import { nativeZstd } from "./zlib-handle.ts";

/** Decompresses zstd frames (RFC 8878), skippable ones included, to the end of the input. */
export function unzstd(input: Input, windowLog: number, output: Output): void {
  const native = nativeZstd(windowLog);
  if (native === undefined) return unzstdInJavaScript(input, output);
  try {
    for (let chunk = input.peek(); chunk !== undefined; chunk = input.peek()) {
      const space = output.space();
      const { readBytes, writtenBytes } = native.step(chunk, space);
      if (readBytes === 0 && writtenBytes === 0)
        throw new OciUnpackError("CORRUPT_LAYER", "cannot decompress: zstd data: stuck");
      input.take(readBytes);
      output.commit(writtenBytes);
    }
    drain(native, output);
  } finally {
    native.close();
  }
}

/** The input is used up, but the decompressor may still hold output that did not fit. */
function drain(
  native: { step(input: Uint8Array, output: Uint8Array): { writtenBytes: number } },
  output: Output,
): void {
  for (;;) {
    const { writtenBytes } = native.step(new Uint8Array(0), output.space());
    if (writtenBytes === 0) return;
    output.commit(writtenBytes);
  }
}

/** Node before 22.15 has no zstd of its own. */
function unzstdInJavaScript(input: Input, output: Output): void {
  const decompress = new Decompress((bytes) => copy(bytes, output));
  try {
    for (let chunk = input.peek(); chunk !== undefined; chunk = input.peek()) {
      // It keeps what it cannot use yet, so it gets memory of its own.
      decompress.push(Uint8Array.from(chunk));
      input.take(chunk.length);
    }
    decompress.push(new Uint8Array(0), true);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && typeof error.code === "number")) throw error;
    throw new OciUnpackError("CORRUPT_LAYER", `cannot decompress: zstd data: ${error.message}`, { cause: error });
  }
}

/** Puts bytes that lie elsewhere into the output. */
export function copy(bytes: Uint8Array, output: Output): void {
  for (let rest = bytes; rest.length > 0; ) {
    const space = output.space();
    const length = Math.min(space.length, rest.length);
    space.set(rest.subarray(0, length));
    output.commit(length);
    rest = rest.subarray(length);
  }
}
