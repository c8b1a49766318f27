import type { FileHandle } from "node:fs/promises";
import { unlessAborted } from "../base/abort.ts";
import { OciUnpackError } from "../base/errors.ts";
import type { FetchOptions } from "../base/events.ts";
import { present } from "../base/present.ts";
import { isErrno } from "../base/system-error.ts";
import { type BlobStore, makeStore } from "./blob-store.ts";

/** Marks the store as in use and returns it. */
export type StoreInUse = (options?: FetchOptions) => Promise<BlobStore>;

/** How a source uses its store. */
export interface StoreUseSettings {
  /** Whether everything has to come from the store. */
  readonly isOffline: boolean;
  /** Whether indexes of layers are kept and read. */
  readonly hasIndexes: boolean;
}

/** A store by way of a source: opened, and made if there is none, when something first needs it. */
export class StoreUse implements AsyncDisposable, StoreUseSettings {
  readonly isOffline: boolean;
  readonly hasIndexes: boolean;
  readonly #store: BlobStore;
  readonly #closing = new AbortController();
  #lock: Promise<FileHandle | undefined> | undefined;

  constructor(store: BlobStore, { isOffline, hasIndexes }: StoreUseSettings) {
    this.isOffline = isOffline;
    this.hasIndexes = hasIndexes;
    this.#store = store;
  }

  /** The store, which is in use from now on: nothing is removed from it until this is disposed of. */
  readonly open: StoreInUse = async ({ signal, onEvent } = {}) => {
    this.#lock ??= begin(this.#store, this.isOffline, present({ signal: this.#closing.signal, onEvent }));
    try {
      await unlessAborted(this.#lock, signal);
    } catch (error) {
      if (signal?.aborted !== true) this.#lock = undefined;
      throw error;
    }
    return this.#store;
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    const lock = await this.#lock?.catch(() => undefined);
    await lock?.close();
  }
}

/**
 * Marks the store as in use. On a read-only file system that is impossible, but nothing can be removed there either.
 */
async function begin(store: BlobStore, isOffline: boolean, options: FetchOptions): Promise<FileHandle | undefined> {
  if (!isOffline) {
    await makeStore(store);
    return await store.use(options);
  }
  if (!(await store.exists())) {
    throw new OciUnpackError("NOT_FOUND", `cannot read the store "${store.directory}": there is none`, {
      hint: "unpack an image once without `offline`",
    });
  }
  try {
    return await store.use(options);
  } catch (error) {
    if (isReadOnly(error)) return undefined;
    throw error;
  }
}

/** Whether the cause of an error is a file system or directory that cannot be written. */
export function isReadOnly(error: unknown): boolean {
  return error instanceof OciUnpackError && isErrno(error.cause, "EROFS", "EACCES");
}
