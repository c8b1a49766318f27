import { readSync, writeSync } from "node:fs";
import { fileSystemError } from "../base/system-error.ts";
import type { ByteSource } from "../tar/entry.ts";

/** How much is written at a time: files are small, and a system call for each would cost more than the copying. */
const bufferBytes = 1024 * 1024;

/**
 * The data of files, one after the other in a file that has no name, between the pass over the layers, in which they
 * come in any order, and the pass over the tree.
 *
 * Synchronous, by a descriptor that somebody else opened: the thread that uses it may open nothing.
 */
export class ContentFile {
  readonly #descriptor: number;
  readonly #buffer = new Uint8Array(bufferBytes);
  #bufferedBytes = 0;
  #writtenBytes = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Takes in all that a source yields and gives the offset at which it begins. */
  append(source: ByteSource): number {
    const offset = this.#writtenBytes + this.#bufferedBytes;
    for (let piece = source.read(); piece !== undefined; piece = source.read()) this.#add(piece);
    return offset;
  }

  /** Writes out what is still in memory; to be called before anything is read. */
  flush(): void {
    this.#write(this.#buffer.subarray(0, this.#bufferedBytes));
    this.#bufferedBytes = 0;
  }

  /** Reads into `target` what begins at `offset`, and gives how many bytes that were. */
  read(target: Uint8Array, offset: number): number {
    const bytes = attempt("read", () => readSync(this.#descriptor, target, 0, target.length, offset));
    if (bytes === 0) throw new Error("the temporary file of an archive became shorter");
    return bytes;
  }

  #add(piece: Uint8Array): void {
    if (this.#bufferedBytes + piece.length > this.#buffer.length) this.flush();
    if (piece.length > this.#buffer.length) return this.#write(piece);
    this.#buffer.set(piece, this.#bufferedBytes);
    this.#bufferedBytes += piece.length;
  }

  #write(bytes: Uint8Array): void {
    for (let rest = bytes; rest.length > 0; ) {
      const written = attempt("write", () => writeSync(this.#descriptor, rest, 0, rest.length, this.#writtenBytes));
      this.#writtenBytes += written;
      rest = rest.subarray(written);
    }
  }
}

function attempt(verb: "read" | "write", work: () => number): number {
  try {
    return work();
  } catch (error) {
    throw fileSystemError(error, `${verb} a temporary file`);
  }
}
