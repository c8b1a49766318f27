import type { FileHandle } from "node:fs/promises";
import { unlessAborted } from "../base/abort.ts";
import { OciUnpackError } from "../base/errors.ts";
import type { FetchOptions } from "../base/events.ts";
import {
  boolean,
  check,
  checkOptions,
  type Kinds,
  source as sourceKind,
  store as storeKind,
  text,
} from "../base/option-checks.ts";
import { isErrno } from "../base/system-error.ts";
import type { Source } from "../blob/image-source.ts";
import { BlobStore, makeStore } from "./blob-store.ts";
import type { Store } from "./store.ts";
import { StoredImage } from "./stored-image.ts";

/** How a store is used. */
export interface StoredSourceOptions {
  /** Takes everything from the store and asks nobody. Default: false. */
  readonly offline?: boolean;
}

const storedKinds: Kinds<StoredSourceOptions> = { offline: boolean };

/**
 * A source that keeps in a store whatever comes from another one, and takes from there what it has already.
 *
 * Blobs are verified on their way in and again before they are given out; one that was damaged meanwhile is fetched
 * again. Any number of processes may share a store. Disposing of this source disposes of the other one.
 */
export function storedSource(source: Source, store: Store, options: StoredSourceOptions = {}): Source {
  check("source", source, sourceKind);
  check("store", store, storeKind);
  checkOptions(options, storedKinds);
  const { offline = false } = options;
  const blobs = new BlobStore(store.directory);
  const closing = new AbortController();
  let use: Promise<FileHandle | undefined> | undefined;
  const inUse = async ({ signal, onEvent }: FetchOptions = {}): Promise<BlobStore> => {
    use ??= begin(blobs, offline, { signal: closing.signal, ...(onEvent && { onEvent }) });
    try {
      await unlessAborted(use, signal);
    } catch (error) {
      if (signal?.aborted !== true) use = undefined;
      throw error;
    }
    return blobs;
  };
  return {
    image(name) {
      check("name", name, text);
      return new StoredImage(source.image(name), inUse, offline);
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      const lock = await use?.catch(() => undefined);
      await lock?.close();
      await source[Symbol.asyncDispose]();
    },
  };
}

/** Says that the store is in use. Where nothing can be written, nothing can be taken away meanwhile either. */
async function begin(blobs: BlobStore, offline: boolean, options: FetchOptions): Promise<FileHandle | undefined> {
  if (!offline) {
    await makeStore(blobs);
    return await blobs.use(options);
  }
  if (!(await blobs.exists())) {
    throw new OciUnpackError("NOT_FOUND", `cannot read the store "${blobs.directory}": there is none`, {
      hint: "unpack an image once without `offline`",
    });
  }
  try {
    return await blobs.use(options);
  } catch (error) {
    if (isReadOnly(error)) return undefined;
    throw error;
  }
}

/** Told by what lies underneath: the error of the store is one for people. */
function isReadOnly(error: unknown): boolean {
  return error instanceof OciUnpackError && isErrno(error.cause, "EROFS", "EACCES");
}
