import { readSync, writeSync } from "node:fs";
import { fileSystemError } from "../base/system-error.ts";
import type { ByteSource } from "../tar/entry.ts";

/** How much is written at a time. Files are small: a system call for each would take longer than copying them. */
const bufferBytes = 1024 * 1024;

/**
 * Holds the data of files in a temporary file: it is written while the layers are read, in which files come in any
 * order, and read again in the order of the tree.
 *
 * It is synchronous and uses a descriptor that another thread opened: the thread that uses it may open no file.
 */
export class ContentFile {
  readonly #descriptor: number;
  readonly #directory: string;
  readonly #buffer = new Uint8Array(bufferBytes);
  #bufferedBytes = 0;
  #writtenBytes = 0;

  /** `directory` is where the file is, for error messages. */
  constructor(descriptor: number, directory: string) {
    this.#descriptor = descriptor;
    this.#directory = directory;
  }

  /** Appends all bytes of a source and returns the offset of the first one. */
  append(source: ByteSource): number {
    const offset = this.#writtenBytes + this.#bufferedBytes;
    for (let piece = source.read(); piece !== undefined; piece = source.read()) this.#add(piece);
    return offset;
  }

  /** Leaves room for so many bytes, which somebody else writes, and returns the offset of the first one. */
  reserve(bytes: number): number {
    this.flush();
    const offset = this.#writtenBytes;
    this.#writtenBytes += bytes;
    return offset;
  }

  /** Writes what is still in memory. It has to be called before `read`. */
  flush(): void {
    this.#write(this.#buffer.subarray(0, this.#bufferedBytes));
    this.#bufferedBytes = 0;
  }

  /** Reads bytes from `offset` on into `target` and returns how many. */
  read(target: Uint8Array, offset: number): number {
    const bytes = this.#attempt("read", () => readSync(this.#descriptor, target, 0, target.length, offset));
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
      const written = this.#attempt("write", () =>
        writeSync(this.#descriptor, rest, 0, rest.length, this.#writtenBytes),
      );
      this.#writtenBytes += written;
      rest = rest.subarray(written);
    }
  }

  #attempt(verb: "read" | "write", work: () => number): number {
    try {
      return work();
    } catch (error) {
      throw fileSystemError(error, `${verb} a temporary file in "${this.#directory}"`);
    }
  }
}
