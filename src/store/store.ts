import { OciUnpackError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import {
  boolean,
  callback,
  checkOptions,
  count,
  type Kinds,
  limitsKind,
  pathOf,
  settleLimits,
  signal,
} from "../base/option-checks.ts";
import { BlobStore } from "./blob-store.ts";
import { type PruneResult, pruneStore } from "./prune.ts";
import type { PruneOptions } from "./prune-plan.ts";
import { type StoreFindings, verifyStore } from "./store-findings.ts";
import { listStore, type StoreEntry } from "./store-list.ts";

/**
 * A directory with the blobs of images, which is an OCI image layout.
 *
 * skopeo and umoci read it as well, if the images have OCI media types.
 */
export interface Store {
  /** An absolute path. */
  readonly directory: string;
  /** Images, layers, indexes, outputs and trees, what was used last first. */
  list(options?: { readonly signal?: AbortSignal }): Promise<readonly StoreEntry[]>;
  /** Verifies every blob, index, output and tree. Changes nothing. */
  verify(options?: { readonly signal?: AbortSignal }): Promise<StoreFindings>;
  /**
   * Removes what no image needs, what was made of none that is named, what is unfinished, and with `maxBytes` also what
   * was used longest ago. Waits until nobody uses the store: no other process, and no source of this one, which uses it
   * from the first image on until it is disposed of.
   */
  prune(options?: PruneOptions): Promise<PruneResult>;
}

/** How the documents of a store are read. */
export interface StoreOptions {
  /** Overrides single limits: an image that needed a larger one needs it here too. */
  readonly limits?: Partial<Limits>;
}

const storeKinds: Kinds<StoreOptions> = { limits: limitsKind };

const readKinds: Kinds<{ readonly signal?: AbortSignal }> = { signal };

const pruneKinds: Kinds<PruneOptions> = { maxBytes: count, forgetAbsent: boolean, signal, onEvent: callback };

/** The store in a directory. The directory is made when something is stored for the first time. */
export function store(directory: string | URL, options: StoreOptions = {}): Store {
  checkOptions(options, storeKinds);
  const blobs = new BlobStore(pathOf("directory", directory), settleLimits(options.limits));
  return {
    directory: blobs.directory,
    async list(options = {}) {
      checkOptions(options, readKinds);
      await insistOnStore(blobs);
      return await listStore(blobs, options.signal);
    },
    async verify(options = {}) {
      checkOptions(options, readKinds);
      await insistOnStore(blobs);
      return await verifyStore(blobs, options.signal);
    },
    async prune(options = {}) {
      checkOptions(options, pruneKinds);
      await insistOnStore(blobs);
      return await pruneStore(blobs, options);
    },
  };
}

/** Throws `NOT_FOUND` if the store has not been made. */
export async function insistOnStore(blobs: BlobStore): Promise<void> {
  if (await blobs.exists()) return;
  throw new OciUnpackError("NOT_FOUND", `cannot read the store "${blobs.directory}": there is none`, {
    hint: "name the directory that images were unpacked with as their store",
  });
}
