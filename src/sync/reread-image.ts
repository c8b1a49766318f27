import type { FileHandle } from "node:fs/promises";
import { fileSystemError } from "../base/system-error.ts";
import type { BlobOptions, ImageSource } from "../blob/image-source.ts";
import { openTemporaryFile, writeAll } from "../blob/temporary-file.ts";
import { WrappedImage } from "../blob/wrapped-image.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { readRange } from "../source/local/image-files.ts";

/** Where the bytes of a blob are in the file. */
interface KeptRange {
  readonly offset: number;
  readonly sizeBytes: number;
}

/**
 * An image whose blobs are asked for once: those that were read whole come out of a file without a name when they are
 * read again, and count as stored. They are verified each time, as blobs of every source are.
 */
export class RereadImage extends WrappedImage implements AsyncDisposable {
  readonly #directory: string;
  /** What was read to its end, right or wrong. */
  readonly #read = new Map<Digest, KeptRange>();
  /** What was right. */
  readonly #kept = new Map<Digest, KeptRange>();
  #file: Promise<FileHandle> | undefined;
  #end = 0;

  /** `directory` is where the file is made. */
  constructor(image: ImageSource, directory: string) {
    super(image);
    this.#directory = directory;
  }

  override blob(descriptor: Descriptor, options: BlobOptions = {}): AsyncIterable<Uint8Array> {
    const kept = this.#kept.get(descriptor.digest);
    const { offset = 0, length } = options;
    const isWhole = offset === 0 && length === undefined;
    if (kept !== undefined && isWhole) return this.#again(descriptor, kept, options);
    return isWhole ? this.#first(descriptor, options) : super.blob(descriptor, options);
  }

  /** Says that all that was read so far had the right digest. Until then a blob that is asked for again comes again. */
  keepRead(): void {
    for (const [digest, range] of this.#read) this.#kept.set(digest, range);
    this.#read.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const file = await this.#file?.catch(() => undefined);
    await file?.close();
  }

  async *#again(
    { digest }: Descriptor,
    range: KeptRange,
    { signal, onEvent }: BlobOptions,
  ): AsyncGenerator<Uint8Array> {
    const file = await this.#opened();
    yield* readRange(file, range, this.#directory, signal);
    onEvent?.({ type: "stored", digest, bytes: range.sizeBytes });
  }

  /** Several blobs may come at the same time: each has its place before its first byte is there. */
  async *#first(descriptor: Descriptor, options: BlobOptions): AsyncGenerator<Uint8Array> {
    const range = { offset: this.#end, sizeBytes: descriptor.sizeBytes };
    this.#end += range.sizeBytes;
    const file = await this.#opened();
    let bytes = 0;
    for await (const chunk of super.blob(descriptor, options)) {
      await this.#write(file, chunk, range.offset + bytes);
      bytes += chunk.length;
      yield chunk;
    }
    if (bytes === range.sizeBytes) this.#read.set(descriptor.digest, range);
  }

  #opened(): Promise<FileHandle> {
    this.#file ??= openTemporaryFile(this.#directory);
    return this.#file;
  }

  async #write(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
    try {
      await writeAll(file, chunk, position);
    } catch (error) {
      throw fileSystemError(error, `write a temporary file in "${this.#directory}"`);
    }
  }
}
