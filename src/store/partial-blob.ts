import { constants } from "node:fs";
import { type FileHandle, mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { FetchOptions } from "../base/events.ts";
import { fileSystemError } from "../base/system-error.ts";
import type { Digest } from "../oci/digest.ts";
import { readRange } from "../source/local/image-files.ts";
import type { BlobStore } from "./blob-store.ts";
import { openLocked } from "./file-lock.ts";

/**
 * A blob that is being fetched into the store: a file with its bytes so far, which one process at a time writes to.
 *
 * If the process ends, the file stays, and the next process fetches the rest.
 */
export class PartialBlob implements AsyncDisposable {
  readonly #store: BlobStore;
  readonly #digest: Digest;
  readonly #file: FileHandle;
  #sizeBytes: number;

  private constructor(store: BlobStore, digest: Digest, file: FileHandle, sizeBytes: number) {
    this.#store = store;
    this.#digest = digest;
    this.#file = file;
    this.#sizeBytes = sizeBytes;
  }

  /** Waits until no other process fetches that blob. Then the caller has to check whether it is stored meanwhile. */
  static async open(store: BlobStore, digest: Digest, { signal, onEvent }: FetchOptions = {}): Promise<PartialBlob> {
    const onWait = () => onEvent?.({ type: "waiting", reason: `another process fetches blob ${digest}` });
    try {
      const file = await openLocked(store.partPathOf(digest), "exclusive", { signal, onWait });
      return new PartialBlob(store, digest, file, (await file.stat()).size);
    } catch (error) {
      signal?.throwIfAborted();
      throw fileSystemError(error, `keep blob ${digest} in the store "${store.directory}"`);
    }
  }

  /** How many bytes of the blob there are. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  async append(chunk: Uint8Array): Promise<void> {
    for (let written = 0; written < chunk.length; ) {
      written += await this.#write(chunk.subarray(written));
    }
  }

  read(signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const range = { offset: 0, sizeBytes: this.#sizeBytes };
    return readRange(this.#file, range, this.#store.partPathOf(this.#digest), signal);
  }

  /** Removes all bytes. */
  async clear(): Promise<void> {
    await this.#file.truncate(0);
    this.#sizeBytes = 0;
  }

  /** Moves the blob, which is complete and verified, into the store. Its content is safe from a crash then. */
  async publish(): Promise<void> {
    const path = this.#store.pathOf(this.#digest);
    try {
      await this.#file.sync();
      await mkdir(dirname(path), { recursive: true });
      await rename(this.#store.partPathOf(this.#digest), path);
      // Only now: before, another process that waits for the file, or continues it after a crash, has to be able to
      // write it.
      await this.#file.chmod(constants.S_IRUSR | constants.S_IRGRP | constants.S_IROTH);
    } catch (error) {
      throw fileSystemError(error, `keep blob ${this.#digest} in the store "${this.#store.directory}"`);
    }
  }

  /** Removes the file. */
  async discard(): Promise<void> {
    await rm(this.#store.partPathOf(this.#digest), { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  async #write(bytes: Uint8Array): Promise<number> {
    try {
      const { bytesWritten } = await this.#file.write(bytes, 0, bytes.length, this.#sizeBytes);
      this.#sizeBytes += bytesWritten;
      return bytesWritten;
    } catch (error) {
      // If the disk is full, the unfinished blob must not keep it full.
      await this.discard();
      throw fileSystemError(error, `keep blob ${this.#digest} in the store "${this.#store.directory}"`);
    }
  }
}
