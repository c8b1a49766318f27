import { OciUnpackError } from "../base/errors.ts";
import type { CompressedInput } from "./compressed-input.ts";
import { copyBytes, type DecompressedOutput } from "./decompressed-output.ts";
import { inflateModule } from "./inflate-module.ts";
import { instantiated } from "./web-assembly.ts";

/** The exports of the module that is compiled from `inflate/`; `inflate/index.ts` documents them. */
interface InflateExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly inputAddress: { readonly value: number };
  readonly inputBytes: { readonly value: number };
  reset(): void;
  supply(length: number): void;
  run(): number;
  usedBytes(): number;
  outputStart(): number;
  outputEnd(): number;
}

/** The results of `run`. Numbers from `FIRST_FAILURE` on say what is wrong. */
const NEEDS_INPUT = 0;
const ENDED = 2;
const FIRST_FAILURE = 10;

/** The error messages of zlib, which people can search for. */
const failures = [
  "invalid block type",
  "invalid stored block lengths",
  "too many length or distance symbols",
  "invalid code lengths set",
  "invalid bit length repeat",
  "invalid code -- missing end-of-block",
  "invalid literal/lengths set",
  "invalid distances set",
  "invalid literal/length code",
  "invalid distance code",
  "invalid distance too far back",
] as const;

let inflater: Inflater | undefined;

/** Decompresses deflate data (RFC 1951), and takes exactly its bytes from `input`. */
export function inflate(input: CompressedInput, output: DecompressedOutput): void {
  inflater ??= new Inflater();
  inflater.inflate(input, output);
}

/**
 * Copies bytes into the module's memory and out of it. The memory has a fixed size: a thread decompresses one stream at
 * a time.
 */
class Inflater {
  readonly #module: InflateExports;
  readonly #memory: Uint8Array;
  readonly #input: Uint8Array;

  constructor() {
    this.#module = instantiated(inflateModule) as InflateExports;
    this.#memory = new Uint8Array(this.#module.memory.buffer);
    const start = this.#module.inputAddress.value;
    this.#input = this.#memory.subarray(start, start + this.#module.inputBytes.value);
  }

  inflate(input: CompressedInput, output: DecompressedOutput): void {
    this.#module.reset();
    for (let hasEnded = false; !hasEnded; ) {
      const chunk = input.peek();
      if (chunk === undefined) {
        throw new OciUnpackError("CORRUPT_LAYER", "cannot decompress: the gzip data ends too early");
      }
      hasEnded = this.#inflatePiece(chunk.subarray(0, this.#input.length), input, output);
    }
  }

  /**
   * Decompresses `piece`, the input's next bytes, or those of it that belong to the stream. Returns whether that
   * ended.
   */
  #inflatePiece(piece: Uint8Array, input: CompressedInput, output: DecompressedOutput): boolean {
    copyBytes(piece, this.#input);
    this.#module.supply(piece.length);
    for (let takenBytes = 0; ; ) {
      const status = this.#module.run();
      const usedBytes = this.#module.usedBytes();
      input.take(usedBytes - takenBytes);
      takenBytes = usedBytes;
      this.#handOver(output);
      if (status === NEEDS_INPUT || status === ENDED) return status === ENDED;
      if (status >= FIRST_FAILURE) {
        const failure = failures[status - FIRST_FAILURE];
        throw new OciUnpackError("CORRUPT_LAYER", `cannot decompress: deflate data: ${failure}`);
      }
    }
  }

  #handOver(output: DecompressedOutput): void {
    const end = this.#module.outputEnd();
    for (let start = this.#module.outputStart(); start < end; ) {
      const space = output.space();
      const length = Math.min(end - start, space.length);
      copyBytes(this.#memory.subarray(start, start + length), space);
      output.commit(length);
      start += length;
    }
  }
}
