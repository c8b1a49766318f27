import type { FileHandle } from "node:fs/promises";
import { unlessAborted } from "../base/abort.ts";
import { OciUnpackError } from "../base/errors.ts";
import type { FetchOptions } from "../base/events.ts";
import type { Limits } from "../base/limits.ts";
import {
  boolean,
  check,
  checkOptions,
  type Kinds,
  object,
  settleLimits,
  source as sourceKind,
  store as storeKind,
  text,
} from "../base/option-checks.ts";
import { present } from "../base/present.ts";
import { isErrno } from "../base/system-error.ts";
import type { Source } from "../blob/image-source.ts";
import { BlobStore, makeStore } from "./blob-store.ts";
import type { Store } from "./store.ts";
import { StoredImage } from "./stored-image.ts";

/** How a store is used. */
export interface StoredSourceOptions {
  /** Takes everything from the store; the other source is not asked. Default: false. */
  readonly offline?: boolean;
  /** Overrides single limits, which hold for the documents that are in the store. */
  readonly limits?: Partial<Limits>;
}

const storedKinds: Kinds<StoredSourceOptions> = { offline: boolean, limits: object };

/**
 * A source that stores everything that it fetches from another source, and does not fetch what is stored.
 *
 * Blobs are verified before they are stored and again when they are read; a damaged one is fetched again. Any number of
 * processes may share a store. Disposing of this source disposes of the other one as well.
 */
export function storedSource(source: Source, store: Store, options: StoredSourceOptions = {}): Source {
  check("source", source, sourceKind);
  check("store", store, storeKind);
  checkOptions(options, storedKinds);
  const { offline = false } = options;
  const blobs = new BlobStore(store.directory, settleLimits(options.limits));
  const closing = new AbortController();
  let use: Promise<FileHandle | undefined> | undefined;
  const inUse = async ({ signal, onEvent }: FetchOptions = {}): Promise<BlobStore> => {
    use ??= begin(blobs, offline, present({ signal: closing.signal, onEvent }));
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

/**
 * Marks the store as in use. On a read-only file system that is impossible, but nothing can be removed there either.
 */
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

/** Whether the cause of an error is a file system or directory that cannot be written. */
function isReadOnly(error: unknown): boolean {
  return error instanceof OciUnpackError && isErrno(error.cause, "EROFS", "EACCES");
}
