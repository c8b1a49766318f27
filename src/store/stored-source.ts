import type { Limits } from "../base/limits.ts";
import {
  boolean,
  check,
  checkOptions,
  type Kinds,
  limitsKind,
  settleLimits,
  source as sourceKind,
  store as storeKind,
  text,
} from "../base/option-checks.ts";
import type { Source } from "../blob/image-source.ts";
import { BlobStore } from "./blob-store.ts";
import type { Store } from "./store.ts";
import { StoreUse } from "./store-use.ts";
import { StoredImage } from "./stored-image.ts";

/** How a store is used. */
export interface StoredSourceOptions {
  /** Takes everything from the store; the other source is not asked. Default: false. */
  readonly offline?: boolean;
  /**
   * Keeps an index of each layer that is read whole, which says what is in it, and reads that instead of the layer where
   * it has all that is asked for. Default: true.
   */
  readonly index?: boolean;
  /** Overrides single limits, which hold for the documents that are in the store. */
  readonly limits?: Partial<Limits>;
}

const storedKinds: Kinds<StoredSourceOptions> = { offline: boolean, index: boolean, limits: limitsKind };

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
  const { offline = false, index = true, limits } = options;
  const blobs = new BlobStore(store.directory, settleLimits(limits));
  const use = new StoreUse(blobs, { isOffline: offline, hasIndexes: index });
  return {
    image(name) {
      check("name", name, text);
      return new StoredImage(source.image(name), use);
    },
    async [Symbol.asyncDispose]() {
      await use[Symbol.asyncDispose]();
      await source[Symbol.asyncDispose]();
    },
  };
}
