import { mkdir, mkdtemp, readdir, readFile, rename, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ifThere, statIfThere } from "../base/if-there.ts";
import { fileSystemError, isErrno } from "../base/system-error.ts";
import { algorithmOf, type Digest, encodedOf } from "../oci/digest.ts";
import type { BlobStore } from "./blob-store.ts";

/** A layer as a directory. */
export interface StoredLayer {
  /** Absolute; the layer itself is `diff` in it. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly lastUsed: Date;
}

/**
 * The layers of a store that are directories, for overlays:
 *
 *     layers/VARIANT/CHAINID/diff     the layer
 *     layers/VARIANT/CHAINID/size     what came out of its archive, in bytes
 *
 * What a layer becomes depends on the layers below it, hence the chainID, and on how it was unpacked, hence the variant.
 */
export class LayerStore {
  readonly #store: BlobStore;

  constructor(store: BlobStore) {
    this.#store = store;
  }

  /** Where a layer is that is there. That it was used is noted. */
  async find(variant: string, chainID: Digest): Promise<string | undefined> {
    const path = this.#pathOf(variant, chainID);
    if ((await statIfThere(join(path, "size"))) === undefined) return undefined;
    const now = new Date();
    await utimes(path, now, now);
    return path;
  }

  /** A private directory in which layers can be made. */
  stage(): Promise<string> {
    return mkdtemp(this.#store.path("ingest", "layers-"));
  }

  /** Keeps a layer, made as `diff` in a directory, unless another process was faster. Gives where it is then. */
  async keep(made: string, variant: string, chainID: Digest, sizeBytes: number): Promise<string> {
    const path = this.#pathOf(variant, chainID);
    try {
      await writeFile(join(made, "size"), String(sizeBytes), { flush: true });
      await mkdir(this.#store.path("layers", variant), { recursive: true, mode: 0o700 });
      await rename(made, path).catch(unlessThere);
    } catch (error) {
      throw fileSystemError(error, `keep a layer in the store "${this.#store.directory}"`);
    }
    return path;
  }

  /** All layers, those that were used last first. Only directories of the store itself: a link leads to what is somebody else's. */
  async all(): Promise<readonly StoredLayer[]> {
    const layers: StoredLayer[] = [];
    for (const variant of await directoriesIn(this.#store.path("layers"))) {
      for (const chainID of await directoriesIn(variant)) {
        const sizeBytes = Number(await readFile(join(chainID, "size"), "utf8").catch(() => "0"));
        const lastUsed = (await statIfThere(chainID))?.mtime ?? new Date(0);
        layers.push({ path: chainID, sizeBytes, lastUsed });
      }
    }
    return layers.sort((one, other) => other.lastUsed.getTime() - one.lastUsed.getTime());
  }

  #pathOf(variant: string, chainID: Digest): string {
    return this.#store.path("layers", variant, `${algorithmOf(chainID)}-${encodedOf(chainID)}`);
  }
}

async function directoriesIn(directory: string): Promise<readonly string[]> {
  const found = await ifThere(`list "${directory}"`, () => readdir(directory, { withFileTypes: true }));
  return (found ?? []).filter((each) => each.isDirectory()).map(({ name }) => join(directory, name));
}

function unlessThere(error: unknown): void {
  if (!isErrno(error, "EEXIST", "ENOTEMPTY")) throw error;
}
