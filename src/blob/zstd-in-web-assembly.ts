import { OciUnpackError } from "../base/errors.ts";
import { copyBytes } from "./decompressed-output.ts";
import type { Step, SyncDecompressor } from "./native-zstd.ts";
import { instantiated } from "./web-assembly.ts";
import { zstdModule } from "./zstd-module.ts";

/** The functions of zstd (zstd.h) that the module exports. Addresses and sizes are numbers. */
interface ZstdExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  malloc(bytes: number): number;
  ZSTD_createDCtx(): number;
  ZSTD_freeDCtx(context: number): number;
  /** A negative result is an error. */
  ZSTD_decompressStream(context: number, output: number, input: number): number;
}

/** zstd's messages for the errors that data can cause (zstd_errors.h). */
const failures: Readonly<Record<number, string>> = {
  10: "Unknown frame descriptor",
  14: "Unsupported frame parameter",
  20: "Data corruption detected",
  22: "Restored data doesn't match checksum",
  24: "Header of Literals' block doesn't respect format specification",
  30: "Dictionary is corrupted",
  32: "Dictionary mismatch",
  64: "Allocation error : not enough memory",
  70: "Data corruption detected", // see `nativeOf`
};

const windowTooLarge = 16;

/** The largest window that the module was compiled for, as a power of two. */
const mostWindowLog = 27;

/** The sizes that zstd recommends: a block with its header, and the content of a block. */
const inputBytes = 128 * 1024 + 3;
const outputBytes = 128 * 1024;

let zstd: Zstd | undefined;

/**
 * A decompressor of Zstandard frames (RFC 8878) with windows of up to `2 ** mostWindowLog` bytes: zstd's own, in
 * WebAssembly.
 */
export function zstdInWebAssembly(): SyncDecompressor {
  zstd ??= new Zstd();
  return zstd.begun();
}

/**
 * Copies bytes into the module's memory and out of it. A decompressor keeps memory for its largest window there, which
 * all frames use in turn. The module's memory never shrinks, but what a closed decompressor used is used by the next
 * one.
 *
 *     parameters  │ output: address, size, position │ input: address, size, position │   Uint32, as zstd.h has them
 */
class Zstd {
  readonly #module: ZstdExports;
  readonly #parameters: number;
  readonly #input: number;
  readonly #output: number;
  #memory = new Uint8Array(0);
  #words = new Uint32Array(0);

  constructor() {
    const lookAnew = () => this.#look();
    this.#module = instantiated(zstdModule, { env: { emscripten_notify_memory_growth: lookAnew } }) as ZstdExports;
    this.#look();
    this.#parameters = this.#module.malloc(6 * Uint32Array.BYTES_PER_ELEMENT);
    this.#input = this.#module.malloc(inputBytes);
    this.#output = this.#module.malloc(outputBytes);
  }

  begun(): SyncDecompressor {
    let context = this.#module.ZSTD_createDCtx();
    const close = () => this.#module.ZSTD_freeDCtx(context);
    return {
      step: (input, output) => this.#step(context, input, output),
      frames: (input, ends, output) => {
        const step = this.#frames(context, input, ends, output);
        if (step.readBytes < (ends.at(-1) ?? 0)) {
          close();
          context = this.#module.ZSTD_createDCtx();
        }
        return step;
      },
      close,
    };
  }

  /** Makes new views of the memory, because it moves when it grows. */
  #look(): void {
    this.#memory = new Uint8Array(this.#module.memory.buffer);
    this.#words = new Uint32Array(this.#module.memory.buffer);
  }

  #step(context: number, input: Uint8Array, output: Uint8Array): Step {
    const piece = input.subarray(0, inputBytes);
    copyBytes(piece, this.#memory.subarray(this.#input, this.#input + piece.length));
    let readBytes = 0;
    let writtenBytes = 0;
    for (let isStuck = false; !isStuck && writtenBytes < output.length; ) {
      const wantedBytes = Math.min(outputBytes, output.length - writtenBytes);
      throwIfFailed(this.#call(context, readBytes, piece.length, 0, wantedBytes));
      const madeBytes = this.#outputPosition;
      this.#copyOut(madeBytes, output.subarray(writtenBytes));
      readBytes = this.#inputPosition;
      writtenBytes += madeBytes;
      isStuck = madeBytes < wantedBytes;
    }
    return { readBytes, writtenBytes };
  }

  /** All of them fit into the memory for input and output: see `mostOfSmallFrames`. */
  #frames(context: number, input: Uint8Array, ends: readonly number[], output: Uint8Array): Step {
    const piece = input.subarray(0, ends.at(-1));
    copyBytes(piece, this.#memory.subarray(this.#input, this.#input + piece.length));
    const roomBytes = Math.min(outputBytes, output.length);
    let readBytes = 0;
    let writtenBytes = 0;
    for (const end of ends) {
      // 0 says that a frame has been decompressed, and all of it is in the output.
      const result = this.#call(context, readBytes, end, writtenBytes, roomBytes);
      if (result !== 0 || this.#inputPosition !== end) break;
      readBytes = end;
      writtenBytes = this.#outputPosition;
    }
    this.#copyOut(writtenBytes, output);
    return { readBytes, writtenBytes };
  }

  #copyOut(length: number, output: Uint8Array): void {
    copyBytes(this.#memory.subarray(this.#output, this.#output + length), output.subarray(0, length));
  }

  /** Decompresses what there is in the input's memory from its position to its end, into the output's between the two. */
  #call(context: number, input: number, inputEnd: number, output: number, outputEnd: number): number {
    const at = this.#parameters / Uint32Array.BYTES_PER_ELEMENT;
    this.#words[at] = this.#output;
    this.#words[at + 1] = outputEnd;
    this.#words[at + 2] = output;
    this.#words[at + 3] = this.#input;
    this.#words[at + 4] = inputEnd;
    this.#words[at + 5] = input;
    return this.#module.ZSTD_decompressStream(context, this.#parameters, this.#parameters + 12);
  }

  get #outputPosition(): number {
    return this.#words[this.#parameters / Uint32Array.BYTES_PER_ELEMENT + 2] ?? 0;
  }

  get #inputPosition(): number {
    return this.#words[this.#parameters / Uint32Array.BYTES_PER_ELEMENT + 5] ?? 0;
  }
}

function throwIfFailed(result: number): void {
  if (result === -windowTooLarge) {
    throw new OciUnpackError(
      "UNSUPPORTED_SYSTEM",
      `cannot decompress: a zstd frame needs a window of more than ${2 ** mostWindowLog} bytes`,
      { hint: "use Node 22.15 or newer, whose own zstd supports larger windows" },
    );
  }
  if (result >= 0) return;
  const failure = failures[-result] ?? `error ${-result}`;
  throw new OciUnpackError("CORRUPT_LAYER", `cannot decompress: zstd data: ${failure}`);
}
