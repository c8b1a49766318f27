import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, readlink, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileSystemError } from "../file-system-error.ts";
import { namesIn, statIfThere } from "../if-there.ts";
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
 *     overlays/HASH                   a link to a directory whose overlay uses some of them
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

  /** Notes that the overlay in a directory uses layers: they stay as long as it does. */
  async noteUse(directory: string): Promise<void> {
    const name = createHash("sha256").update(directory).digest("hex").slice(0, 32);
    try {
      await mkdir(this.#store.path("overlays"), { recursive: true });
      await symlink(directory, this.#store.path("overlays", name)).catch(unlessThere);
    } catch (error) {
      throw fileSystemError(error, `note the use of the store "${this.#store.directory}"`);
    }
  }

  /** All layers, those that were used last first. */
  async all(): Promise<readonly StoredLayer[]> {
    const layers: StoredLayer[] = [];
    for (const variant of await namesIn(this.#store.path("layers"))) {
      for (const name of await namesIn(this.#store.path("layers", variant))) {
        const path = this.#store.path("layers", variant, name);
        const sizeBytes = Number(await readFile(join(path, "size"), "utf8").catch(() => "0"));
        layers.push({ path, sizeBytes, lastUsed: (await statIfThere(path))?.mtime ?? new Date(0) });
      }
    }
    return layers.sort((one, other) => other.lastUsed.getTime() - one.lastUsed.getTime());
  }

  /** The layers that overlays use. Overlays that are gone are forgotten. */
  async inUse(): Promise<ReadonlySet<string>> {
    const used = new Set<string>();
    for (const name of await namesIn(this.#store.path("overlays"))) {
      const link = this.#store.path("overlays", name);
      const layers = join(await readlink(link), "layers");
      const links = await namesIn(layers);
      if (links.length === 0) await rm(link);
      for (const each of links) {
        const target = await readlink(join(layers, each)).catch(() => undefined);
        if (target !== undefined) used.add(target);
      }
    }
    return used;
  }

  /** Removes a layer. Only while nobody uses the store. */
  async remove({ path }: StoredLayer): Promise<void> {
    await rename(path, this.#store.path("ingest", `${basename(path)}.gone`));
  }

  #pathOf(variant: string, chainID: Digest): string {
    return this.#store.path("layers", variant, `${algorithmOf(chainID)}-${encodedOf(chainID)}`);
  }
}

function unlessThere(error: unknown): void {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code !== "EEXIST" && code !== "ENOTEMPTY") throw error;
}
