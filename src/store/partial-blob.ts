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
 * A blob on its way into the store: as much of it as has come, in a file that one process at a time writes to.
 *
 * A process that ends leaves what it got; the next one goes on from there.
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

  /**
   * Waits until nobody else fetches that blob. Whether it is still to be fetched is for the caller to find out then.
   */
  static async open(store: BlobStore, digest: Digest, { signal, onEvent }: FetchOptions = {}): Promise<PartialBlob> {
    const onWait = () => onEvent?.({ type: "waiting", reason: `another process fetches blob ${digest}` });
    try {
      const file = await openLocked(store.partPathOf(digest), "exclusive", { signal, onWait });
      return new PartialBlob(store, digest, file, (await file.stat()).size);
    } catch (error) {
      signal?.throwIfAborted();
      throw fileSystemError(error, `store blob ${digest}`);
    }
  }

  /** How much of the blob is there. */
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

  /** Begins again. */
  async clear(): Promise<void> {
    await this.#file.truncate(0);
    this.#sizeBytes = 0;
  }

  /**
   * Makes the blob, which is complete and verified, one of the store's. A crash afterwards does not undo its content.
   */
  async publish(): Promise<void> {
    const path = this.#store.pathOf(this.#digest);
    try {
      await this.#file.sync();
      await mkdir(dirname(path), { recursive: true });
      await rename(this.#store.partPathOf(this.#digest), path);
      // Under its old name it has to be open to whoever waits for it, or goes on with it after a crash.
      await this.#file.chmod(constants.S_IRUSR | constants.S_IRGRP | constants.S_IROTH);
    } catch (error) {
      throw fileSystemError(error, `store blob ${this.#digest}`);
    }
  }

  /** Removes what there is. */
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
      // A full disk must not stay full because of what is of use to nobody.
      await this.discard();
      throw fileSystemError(error, `store blob ${this.#digest}`);
    }
  }
}
