import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { OciUnpackError } from "../base/errors.ts";
import { ifThere, namesIn, statIfThere } from "../base/if-there.ts";
import { fileSystemError, isErrno } from "../base/system-error.ts";
import { algorithmOf, type Digest, encodedOf } from "../oci/digest.ts";
import { JsonValue } from "../oci/json-value.ts";
import type { BlobStore } from "./blob-store.ts";
import { noteUse } from "./note-use.ts";

/** A layer that is stored as a directory. */
export interface StoredLayer {
  /** The absolute path of the directory; the layer itself is `diff` in it. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly lastUsed: Date;
}

/**
 * The layers of a store that are directories, for overlays:
 *
 *     layers/VARIANT/CHAINID/diff     the layer
 *     layers/VARIANT/CHAINID/size     the size of its decompressed archive, in bytes
 *
 * The directory depends on the layers below, so it is named by the chainID, and on the options of the unpacking, which
 * are the variant.
 */
export class LayerStore {
  readonly #store: BlobStore;

  constructor(store: BlobStore) {
    this.#store = store;
  }

  /** The path of a layer, if it is stored. Notes that it was used. */
  async find(variant: string, chainID: Digest): Promise<string | undefined> {
    const path = this.#pathOf(variant, chainID);
    if ((await statIfThere(join(path, "size"))) === undefined) return undefined;
    await noteUse(path);
    return path;
  }

  /** Makes a private directory in which layers can be unpacked. */
  stage(): Promise<string> {
    return mkdtemp(this.#store.path("ingest", "layers-"));
  }

  /**
   * Moves a layer, which is `diff` in the directory `made`, into the store, unless it is there already. Returns its
   * path.
   */
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

  /**
   * All layers, the last used one first. Links are ignored, because they lead to directories that are not the
   * store's.
   */
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

/** How long the layers of an overlay are kept after its directory has gone: its disk may be mounted again. */
const keptDays = 30;
const dayMilliseconds = 24 * 60 * 60 * 1000;

/** The note about an overlay. */
interface Overlay {
  readonly directory: string;
  readonly layers: readonly string[];
}

/**
 * Notes about the overlays that use layers of a store:
 *
 *     overlays/HASH.json      the directory of an overlay, and the names of the layers that it uses
 *     overlays/HASH.absent    its modification time says since when the directory has been absent
 */
export class Overlays {
  readonly #store: BlobStore;

  constructor(store: BlobStore) {
    this.#store = store;
  }

  /** Notes which layers the overlay in a directory uses. They are kept as long as the overlay exists. */
  async noteUse(directory: string): Promise<void> {
    const name = createHash("sha256").update(directory).digest("hex").slice(0, 32);
    try {
      const overlay: Overlay = { directory, layers: await layersOf(directory) };
      await mkdir(this.#store.path("overlays"), { recursive: true });
      await this.#store.replace(this.#path(name, "json"), Buffer.from(JSON.stringify(overlay)));
    } catch (error) {
      throw fileSystemError(error, `note the use of the store "${this.#store.directory}"`);
    }
  }

  /** The names of the layers that overlays use. */
  async layers(): Promise<ReadonlySet<string>> {
    const layers = new Set<string>();
    for (const name of await this.#names()) for (const layer of (await this.#read(name)).layers) layers.add(layer);
    return layers;
  }

  /**
   * Returns the directories of overlays that are absent. An overlay that has been absent for too long is forgotten;
   * with `forgetAbsent` all absent ones are forgotten at once.
   */
  async lookForAll(forgetAbsent: boolean): Promise<readonly string[]> {
    const absent: string[] = [];
    for (const name of await this.#names()) {
      const { directory } = await this.#read(name);
      if (await isThere(directory)) await rm(this.#path(name, "absent"), { force: true });
      else if (forgetAbsent || (await this.#absentMilliseconds(name)) > keptDays * dayMilliseconds) {
        for (const kind of ["json", "absent"] as const) await rm(this.#path(name, kind), { force: true });
      } else absent.push(directory);
    }
    return absent;
  }

  async #names(): Promise<readonly string[]> {
    const files = await namesIn(this.#store.path("overlays"));
    return files.filter((file) => file.endsWith(".json")).map((file) => basename(file, ".json"));
  }

  async #read(name: string): Promise<Overlay> {
    const path = this.#path(name, "json");
    const value = JsonValue.parse(await readFile(path), `note "${path}"`, "FILE_SYSTEM");
    return { directory: value.required("directory").string(), layers: value.required("layers").strings() };
  }

  /** How long an overlay has been absent. If it was not before, notes the time. */
  async #absentMilliseconds(name: string): Promise<number> {
    const since = await statIfThere(this.#path(name, "absent"));
    if (since !== undefined) return Date.now() - since.mtimeMs;
    await writeFile(this.#path(name, "absent"), "");
    return 0;
  }

  #path(name: string, kind: "json" | "absent"): string {
    return this.#store.path("overlays", `${name}.${kind}`);
  }
}

/** The names of the layers that the links of an overlay lead to; an empty list if there is no overlay. */
async function layersOf(directory: string): Promise<readonly string[]> {
  const links = join(directory, "layers");
  const layers: string[] = [];
  for (const each of await namesIn(links)) {
    const target = await readlink(join(links, each)).catch(() => undefined);
    if (target !== undefined) layers.push(layerName(target));
  }
  return layers;
}

/** Whether there is an overlay. If that cannot be found out (no permission, a failing disk), it counts as there. */
async function isThere(directory: string): Promise<boolean> {
  try {
    return (await layersOf(directory)).length > 0;
  } catch (error) {
    if (error instanceof OciUnpackError) return true;
    throw error;
  }
}

/** The name of a layer, `VARIANT/CHAINID`, which does not depend on the path of its store. */
export function layerName(path: string): string {
  return join(basename(dirname(path)), basename(path));
}
