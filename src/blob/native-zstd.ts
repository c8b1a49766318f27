import { OciUnpackError } from "../base/errors.ts";
import { nodeZlib } from "../base/on-demand.ts";
import type { ByteSpace } from "./decompressed-output.ts";

/*
 * Node has its decompressors as asynchronous streams, which run on libuv's threads (not confined, and slow because of
 * the hops), and for whole buffers, into which a layer does not fit. The native object inside a stream has a
 * synchronous method for any input and output memory; the stream itself and `minizlib` use it. Measured with gzip on
 * Node 20.20: 2.5 times as fast as through the stream (308 and 121 MB/s of output in one run on a busy machine).
 */
export interface NativeHandle {
  writeSync(
    flush: number,
    input: Uint8Array,
    inputOffset: number,
    inputLength: number,
    output: Uint8Array,
    outputOffset: number,
    outputLength: number,
  ): void;
  close(): void;
  onerror: (message: string, errno: number, code: string) => void;
}

/** The private members of a stream of `node:zlib` that are used here. */
export interface StreamInternals {
  readonly _handle?: NativeHandle | null;
  /** After a write: how much of the output memory, and how much of the input, is left. */
  readonly _writeState?: Uint32Array;
}

interface ZstdModule {
  createZstdDecompress?: (options: { params: Record<number, number> }) => object;
  readonly constants: { readonly ZSTD_d_windowLogMax?: number };
}

/** Node's own decompressor of Zstandard frames (RFC 8878); `undefined` before Node 22.15. */
export function nativeZstd(windowLog: number): SyncDecompressor | undefined {
  const { createZstdDecompress, constants } = nodeZlib() as unknown as ZstdModule;
  if (createZstdDecompress === undefined || constants.ZSTD_d_windowLogMax === undefined) return undefined;
  const params = { [constants.ZSTD_d_windowLogMax]: windowLog };
  return new NativeZstd(() => createZstdDecompress({ params }));
}

/** A decompressor that uses the synchronous method of the native object inside a stream. */
class NativeZstd implements SyncDecompressor {
  readonly #make: () => object;
  #native: Native;

  constructor(make: () => object) {
    this.#make = make;
    this.#native = nativeOf(make());
  }

  step(input: Uint8Array, output: Uint8Array): Step {
    const step = this.#native.write(input, 0, input.length, output, 0);
    if (typeof step === "string") throw new OciUnpackError("CORRUPT_LAYER", `cannot decompress: zstd data: ${step}`);
    return step;
  }

  frames(input: Uint8Array, ends: readonly number[], output: Uint8Array): Step {
    let readBytes = 0;
    let writtenBytes = 0;
    for (const end of ends) {
      const step = this.#native.write(input, readBytes, end - readBytes, output, writtenBytes);
      if (typeof step === "string" || step.readBytes < end - readBytes) {
        this.close();
        this.#native = nativeOf(this.#make());
        break;
      }
      readBytes = end;
      writtenBytes += step.writtenBytes;
    }
    return { readBytes, writtenBytes };
  }

  close(): void {
    this.#native.handle.close();
  }
}

/** What is used of the object inside a stream. */
interface Native {
  readonly handle: NativeHandle;
  /** Returns what is wrong, if anything is. */
  write(input: Uint8Array, start: number, length: number, output: Uint8Array, outputStart: number): Step | string;
}

function nativeOf(stream: object): Native {
  const { _handle: handle, _writeState: state } = stream as StreamInternals;
  if (typeof handle?.writeSync !== "function" || state === undefined) {
    throw new OciUnpackError(
      "UNSUPPORTED_SYSTEM",
      `cannot decompress: Node ${process.version} has no synchronous zstd`,
      {
        hint: "use a release of Node that this project is tested with: 20, 22, 24 or 26",
      },
    );
  }
  let failure: string | undefined;
  // A frame comes to more than it states. zstd calls that a corruption where earlier frames left it memory for more.
  const outgrown = "Destination buffer is too small";
  handle.onerror = (message) => {
    failure = message === outgrown ? "Data corruption detected" : message;
  };
  return {
    handle,
    write(input, start, length, output, outputStart) {
      const room = output.length - outputStart;
      // Flush 0 is Z_NO_FLUSH as well as ZSTD_e_continue.
      handle.writeSync(0, input, start, length, output, outputStart, room);
      return failure ?? { readBytes: length - (state[1] ?? 0), writtenBytes: room - (state[0] ?? 0) };
    },
  };
}

/** How many bytes one call read and wrote. */
export interface Step {
  readonly readBytes: number;
  readonly writtenBytes: number;
}

/** A synchronous decompressor from memory to memory. */
export interface SyncDecompressor {
  /** Decompresses as much as fits into `output`. Throws `CORRUPT_LAYER` for invalid data. */
  step(input: Uint8Array, output: Uint8Array): Step;
  /**
   * Decompresses whole frames, of which `ends` says where they end in `input`, and for which there is room in `output`.
   * Stops before the first that is not as it should be. Nothing of a frame may be left in the decompressor before.
   */
  frames(input: Uint8Array, ends: readonly number[], output: Uint8Array): Step;
  close(): void;
}

/** Decompresses all of `bytes` into `output`. */
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
