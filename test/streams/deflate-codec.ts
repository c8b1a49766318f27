import { constants, createDeflateRaw, createInflateRaw, type ZlibOptions } from "node:zlib";
import type { NativeHandle, StreamInternals } from "../../src/blob/native-zstd.ts";

/** How deflate data end (RFC 1951, section 3.2.3). */
export const endings = [
  /** zlib's, and so that of GNU tar, bsdtar and Python: the last block that holds something says that it is the last. */
  "last block",
  /** zlib's after a flush. */
  "empty last block",
  /** Go's `Close`: an empty stored block, for which the last byte of data is filled up. */
  "empty stored block",
  /** Go's `Flush` and `Close`: two of them. */
  "flush and empty stored block",
] as const;

const { Z_SYNC_FLUSH, Z_FINISH, Z_PARTIAL_FLUSH, Z_FULL_FLUSH, Z_BLOCK } = constants;
export const flushes = [Z_PARTIAL_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_BLOCK] as const;

/** What may be another with each tail. */
export interface Form {
  /** The flush after each part of the content but the last. */
  readonly flushes: readonly number[];
  readonly ending: (typeof endings)[number];
}

const lastEmptyStoredBlock = Buffer.from("010000ffff", "hex");
const emptyStoredLengths = lastEmptyStoredBlock.subarray(1);
const nothing = Buffer.alloc(0);

/** zlib, both ways, for any number of tails: what comes after `history`, which ended with a flush that fills its last byte up. */
export class DeflateCodec {
  readonly #deflate: Steps;
  readonly #inflate: Steps;

  constructor(options: ZlibOptions, history: Uint8Array) {
    const after = history.length > 0 ? { dictionary: history } : {};
    this.#deflate = new Steps(createDeflateRaw({ ...options, ...after }));
    this.#inflate = new Steps(createInflateRaw(after));
  }

  /** A tail from its beginning to the stream's end. zlib makes the content of it again, and ends where it does. */
  tail(content: Uint8Array, form: Form): Buffer {
    const deflated = this.#deflated(content, form);
    const tail = form.ending === "empty stored block" ? this.#withLastBlockMarked(deflated) : deflated;
    const inflated = this.#inflated(Buffer.concat([tail, lastEmptyStoredBlock]));
    if (inflated?.takenBytes === tail.length && inflated.bytes.equals(content)) return tail;
    throw new Error(`zlib refuses its own ${tail.toString("hex")}`);
  }

  close(): void {
    this.#deflate.close();
    this.#inflate.close();
  }

  #deflated(content: Uint8Array, { flushes, ending }: Form): Buffer {
    this.#deflate.reset();
    const pieces: Buffer[] = [];
    const add = (bytes: Uint8Array, flush: number) => pieces.push(this.#deflate.step(bytes, flush).bytes);
    const partBytes = Math.ceil(content.length / (flushes.length + 1));
    for (const [index, flush] of flushes.entries()) {
      add(content.subarray(index * partBytes, (index + 1) * partBytes), flush);
    }
    add(content.subarray(flushes.length * partBytes), ending === "last block" ? Z_FINISH : Z_SYNC_FLUSH);
    if (ending === "empty last block") add(nothing, Z_FINISH);
    if (ending === "flush and empty stored block") pieces.push(lastEmptyStoredBlock);
    return Buffer.concat(pieces);
  }

  #inflated(compressed: Uint8Array): Step | undefined {
    this.#inflate.reset();
    const step = this.#inflate.step(compressed, Z_SYNC_FLUSH);
    return this.#inflate.hasFailed ? undefined : step;
  }

  /**
   * Says of the last block, an empty stored one, that it is the last. Its three bits and up to seven that fill the byte up
   * stand before its lengths; zlib tells which of them is the first.
   */
  #withLastBlockMarked(tail: Buffer): Buffer {
    if (!tail.subarray(-4).equals(emptyStoredLengths)) return Buffer.concat([tail, lastEmptyStoredBlock]);
    const lengths = (tail.length - 4) * 8;
    for (let bit = lengths - 3; bit >= lengths - 10; bit -= 1) {
      const marked = Buffer.concat([tail, lastEmptyStoredBlock]);
      marked[bit >> 3] = (marked[bit >> 3] ?? 0) | (1 << (bit & 7));
      if (this.#inflated(marked)?.takenBytes === tail.length) return marked.subarray(0, tail.length);
    }
    throw new Error(`no bit of ${tail.toString("hex")} begins its last block`);
  }
}

interface NativeStream extends Required<StreamInternals> {
  readonly _handle: NativeHandle & { reset(): void };
  close(): void;
}

interface Step {
  readonly bytes: Buffer;
  readonly takenBytes: number;
}

const space = Buffer.alloc(256 * 1024);

/** Compresses or decompresses in steps, each with a flush of its own, which `node:zlib` offers for streams alone. */
class Steps {
  readonly #native: NativeStream;
  hasFailed = false;

  constructor(stream: object) {
    this.#native = stream as NativeStream;
    this.#native._handle.onerror = () => {
      this.hasFailed = true;
    };
  }

  /** What comes out, and how much was taken. Where zlib refuses something, what came before. */
  step(bytes: Uint8Array, flush: number): Step {
    const { _handle: handle, _writeState: state } = this.#native;
    const pieces: Buffer[] = [];
    for (let takenBytes = 0; ; ) {
      handle.writeSync(flush, bytes, takenBytes, bytes.length - takenBytes, space, 0, space.length);
      const [spaceLeft = 0, inputLeft = 0] = state;
      pieces.push(Buffer.from(space.subarray(0, space.length - spaceLeft)));
      takenBytes = bytes.length - inputLeft;
      if (spaceLeft > 0 || this.hasFailed) return { bytes: Buffer.concat(pieces), takenBytes };
    }
  }

  reset(): void {
    this.hasFailed = false;
    this.#native._handle.reset();
  }

  close(): void {
    this.#native.close();
  }
}
