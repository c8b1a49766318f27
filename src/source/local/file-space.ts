import { writeSync } from "node:fs";
import { fileSystemError } from "../../base/system-error.ts";
import type { ByteSpace } from "../../blob/decompressed-output.ts";

const bufferBytes = 1024 * 1024;

/** Puts what is handed over into a file, by a descriptor that somebody else opened. */
export class FileSpace implements ByteSpace {
  readonly #file: number;
  readonly #directory: string;
  readonly #buffer = new Uint8Array(bufferBytes);
  #usedBytes = 0;

  /** `directory` is where the file is, for messages. */
  constructor(file: number, directory: string) {
    this.#file = file;
    this.#directory = directory;
  }

  space(): Uint8Array {
    return this.#buffer.subarray(this.#usedBytes);
  }

  commit(length: number): void {
    this.#usedBytes += length;
    if (this.#usedBytes === this.#buffer.length) this.flush();
  }

  /** To be called after the last `commit`. */
  flush(): void {
    try {
      for (let written = 0; written < this.#usedBytes; ) {
        written += writeSync(this.#file, this.#buffer, written, this.#usedBytes - written);
      }
    } catch (error) {
      throw fileSystemError(error, `write a temporary file in "${this.#directory}"`);
    }
    this.#usedBytes = 0;
  }
}
