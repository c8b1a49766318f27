import type { ByteOutput } from "../output/new-file.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import { encodedHeader, endMarkerBytes, paddingBytes } from "../tar/encoder.ts";
import type { CopyOutput } from "./copy-output.ts";

/** Writes a copy as a tar archive. The same image always makes the same bytes. */
export class ArchiveOutput implements CopyOutput {
  readonly #output: ByteOutput;
  readonly #seconds: number;
  readonly #directories = new Set<string>();

  /** `seconds` since 1970 is the time of every file in the archive. */
  constructor(output: ByteOutput, seconds: number) {
    this.#output = output;
    this.#seconds = seconds;
  }

  get temporaryDirectory(): string {
    return this.#output.temporaryDirectory;
  }

  async add(path: string, sizeBytes: number, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    await this.#addParents(path);
    await this.#output.write(this.#header(path, "file", sizeBytes));
    for await (const chunk of chunks) await this.#output.write(chunk);
    await this.#output.write(new Uint8Array(paddingBytes(sizeBytes)));
  }

  async commit(): Promise<void> {
    await this.#output.write(new Uint8Array(endMarkerBytes));
    await this.#output.commit();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#output[Symbol.asyncDispose]();
  }

  async #addParents(path: string): Promise<void> {
    for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
      const directory = path.slice(0, slash + 1);
      if (this.#directories.has(directory)) continue;
      this.#directories.add(directory);
      await this.#output.write(this.#header(directory, "directory", 0));
    }
  }

  #header(path: string, type: "file" | "directory", sizeBytes: number): Uint8Array {
    return encodedHeader({
      type,
      path: byteStringOf(path),
      linkPath: byteStringOf(""),
      sizeBytes,
      mode: type === "file" ? 0o644 : 0o755,
      uid: 0,
      gid: 0,
      deviceMajor: 0,
      deviceMinor: 0,
      mtime: { seconds: this.#seconds, nanoseconds: 0 },
    });
  }
}
