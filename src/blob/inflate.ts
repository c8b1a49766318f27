import { OciUnpackError } from "../base/errors.ts";
import { type Boundary, boundaryAt, historyBytes, writeHistoryAfter } from "./ahead-decoder.ts";
import type { CompressedInput } from "./compressed-input.ts";
import { copyAll, copyBytes, type DecompressedOutput } from "./decompressed-output.ts";
import { inflateModule } from "./inflate-module.ts";
import type { AheadPiece, PiecesAhead } from "./pieces-ahead.ts";
import { instantiated } from "./web-assembly.ts";

/** The exports of the module that is compiled from `inflate/`; `inflate/index.ts` documents them. */
interface InflateExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly inputAddress: { readonly value: number };
  readonly inputBytes: { readonly value: number };
  readonly outputAddress: { readonly value: number };
  reset(stopsAtBlocks: number): void;
  resume(historyBytes: number, bits: number, bitCount: number): void;
  supply(length: number): void;
  run(): number;
  usedBytes(): number;
  pendingBitCount(): number;
  pendingBits(): number;
  outputStart(): number;
  outputEnd(): number;
}

/** The results of `run`. Numbers from `FIRST_FAILURE` on say what is wrong. */
const NEEDS_INPUT = 0;
const ENDED = 2;
const AT_BLOCK = 5;
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

/**
 * Decompresses deflate data (RFC 1951), and takes exactly its bytes from `input`. `ahead` has what other threads made of
 * pieces of it.
 */
export function inflate(input: CompressedInput, output: DecompressedOutput, ahead?: PiecesAhead): void {
  inflater ??= new Inflater();
  inflater.inflate(input, output, ahead);
}

/**
 * Copies bytes into the module's memory and out of it. The memory has a fixed size: a thread decompresses one stream at
 * a time.
 */
class Inflater {
  readonly #module: InflateExports;
  readonly #memory: Uint8Array;
  readonly #input: Uint8Array;
  /** The history before a piece that others have decoded, and after it. */
  #before = new Uint8Array(historyBytes);
  #after = new Uint8Array(historyBytes);

  constructor() {
    this.#module = instantiated(inflateModule) as InflateExports;
    this.#memory = new Uint8Array(this.#module.memory.buffer);
    const start = this.#module.inputAddress.value;
    this.#input = this.#memory.subarray(start, start + this.#module.inputBytes.value);
  }

  inflate(input: CompressedInput, output: DecompressedOutput, ahead: PiecesAhead | undefined): void {
    this.#module.reset(ahead === undefined ? 0 : 1);
    for (let hasEnded = false; !hasEnded; ) {
      const chunk = input.peek();
      if (chunk === undefined) {
        throw new OciUnpackError("CORRUPT_LAYER", "cannot decompress: the gzip data ends too early");
      }
      hasEnded = this.#inflatePiece(chunk.subarray(0, this.#input.length), input, output, ahead);
    }
  }

  /**
   * Decompresses `piece`, the input's next bytes, or those of it that belong to the stream; and what others have decoded
   * from there on. Returns whether the stream ended.
   */
  #inflatePiece(piece: Uint8Array, input: CompressedInput, output: DecompressedOutput, ahead?: PiecesAhead): boolean {
    copyBytes(piece, this.#input);
    this.#module.supply(piece.length);
    for (let takenBytes = 0; ; ) {
      const status = this.#module.run();
      const usedBytes = this.#module.usedBytes();
      input.take(usedBytes - takenBytes);
      takenBytes = usedBytes;
      this.#handOver(output);
      if (status === NEEDS_INPUT || status === ENDED) return status === ENDED;
      if (status === AT_BLOCK) {
        const end = ahead && this.#pass(ahead, input, output);
        if (end !== undefined) return end.kind === "end";
      }
      if (status >= FIRST_FAILURE) {
        const failure = failures[status - FIRST_FAILURE];
        throw new OciUnpackError("CORRUPT_LAYER", `cannot decompress: deflate data: ${failure}`);
      }
    }
  }

  /** Passes what others have decoded from here on. Returns where that ends, or `undefined` if there is nothing. */
  #pass(ahead: PiecesAhead, input: CompressedInput, output: DecompressedOutput): Boundary | undefined {
    const start = this.#module.outputEnd() - historyBytes;
    if (start < this.#module.outputAddress.value) return undefined;
    const bitCount = this.#module.pendingBitCount();
    const header = this.#module.pendingBits() | ((input.peek()?.[0] ?? 0) << bitCount);
    const boundary = boundaryAt(input.takenBytes * 8 - bitCount, header);
    const pieces: AheadPiece[] = [];
    this.#after.set(this.#memory.subarray(start, start + historyBytes));
    for (let piece = ahead.pieceAt(boundary, true); piece !== undefined; piece = ahead.pieceAt(piece.end, false)) {
      [this.#before, this.#after] = [this.#after, this.#before];
      piece.thread.accept(this.#before);
      writeHistoryAfter(this.#before, piece.tail, this.#after);
      pieces.push(piece);
    }
    for (const piece of pieces) passPiece(piece, input, output);
    const last = pieces.at(-1);
    if (last !== undefined) this.#resume(last, input);
    return last?.end;
  }

  /** Goes on behind a piece. */
  #resume({ end, endBit }: AheadPiece, input: CompressedInput): void {
    const usedBits = endBit % 8;
    const byte = usedBits > 0 ? input.byte() : 0;
    if (end.kind === "end") return;
    copyBytes(this.#after, this.#memory.subarray(this.#module.outputAddress.value));
    this.#module.resume(historyBytes, byte >>> usedBits, usedBits > 0 ? 8 - usedBits : 0);
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

/** Takes the whole bytes of a piece's input, and writes what came out of it. */
function passPiece({ endBit, thread }: AheadPiece, input: CompressedInput, output: DecompressedOutput): void {
  input.takeAll(Math.floor(endBit / 8) - input.takenBytes);
  for (let bytes = thread.read(); bytes !== undefined; bytes = thread.read()) copyAll(bytes, output);
}
