import { createHash, type Hash, randomBytes } from "node:crypto";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { namesIn, statIfThere } from "../base/if-there.ts";
import { fileSystemError } from "../base/system-error.ts";
import { algorithmOf, type Digest, encodedOf, parseDigest } from "../oci/digest.ts";
import { readRange } from "../source/local/image-files.ts";
import { tocVersion } from "../toc/toc-entry.ts";
import type { BlobStore } from "./blob-store.ts";
import { ifPossible, noteUse } from "./note-use.ts";

/** The index of a layer, in a store. */
export interface StoredIndex {
  readonly diffID: Digest;
  /** The absolute path of the directory that it is in. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly lastUsed: Date;
  /** Whether this program reads its version. */
  readonly isOfThisVersion: boolean;
  /** Whether its bytes have the digest in its name, and this program reads its version. */
  isIntact(signal?: AbortSignal): Promise<boolean>;
}

/** Reads an index that was verified: its bytes, in gzip. An image may have a thousand, so none of them is held open. */
export type ReadIndex = (signal?: AbortSignal) => AsyncIterable<Uint8Array>;

/**
 * The indexes of layers in a store:
 *
 *     indexes/ALGORITHM-HEX/VERSION-SHA256.json.gz    of the layer with that diffID
 *
 * The name of an index has the version of its format, and the SHA-256 of its bytes. The modification time of the
 * directory says when it was used last.
 */
export class LayerIndexes {
  readonly #store: BlobStore;

  constructor(store: BlobStore) {
    this.#store = store;
  }

  /** Finds the index of a layer; `undefined` if there is none that is intact. Notes that it was used. */
  async find(diffID: Digest, signal?: AbortSignal): Promise<ReadIndex | undefined> {
    const directory = this.#directoryOf(diffID);
    for (const name of await namesIn(directory)) {
      const path = join(directory, name);
      if (await isIntact(path, signal)) {
        await noteUse(directory);
        return (signal) => bytesOf(path, signal);
      }
      await this.#removeDamaged(path);
    }
    return undefined;
  }

  /** Whether there is an index of a layer that this program reads. Its bytes are not verified. */
  async has(diffID: Digest): Promise<boolean> {
    return (await namesIn(this.#directoryOf(diffID))).some(isOfThisVersion);
  }

  /** Begins an index, which is in nobody's way until it is kept. */
  async begin(): Promise<NewIndex> {
    const temporary = this.#store.path("ingest", `index-${randomBytes(8).toString("hex")}.tmp`);
    try {
      return new NewIndex(await open(temporary, "wx", 0o444), temporary, (diffID) => this.#directoryOf(diffID));
    } catch (error) {
      throw fileSystemError(error, `write to the store "${this.#store.directory}"`);
    }
  }

  /** All indexes. */
  async all(): Promise<readonly StoredIndex[]> {
    const indexes: StoredIndex[] = [];
    for (const name of await namesIn(this.#store.path("indexes"))) {
      const diffID = parseDigest(name.replace("-", ":"));
      if (diffID !== undefined) indexes.push(await this.#described(diffID));
    }
    return indexes;
  }

  async #described(diffID: Digest): Promise<StoredIndex> {
    const path = this.#directoryOf(diffID);
    const files = (await namesIn(path)).map((name) => join(path, name));
    const sizes = await Promise.all(files.map(async (file) => (await statIfThere(file))?.size ?? 0));
    return {
      diffID,
      path,
      sizeBytes: sizes.reduce((sum, bytes) => sum + bytes, 0),
      lastUsed: (await statIfThere(path))?.mtime ?? new Date(0),
      isOfThisVersion: files.some((file) => isOfThisVersion(basename(file))),
      async isIntact(signal) {
        for (const file of files) if (await isIntact(file, signal)) return true;
        return false;
      },
    };
  }

  /** Removes an index that is not read, so that it is written again; one of another version may be another program's. */
  async #removeDamaged(path: string): Promise<void> {
    if (!isOfThisVersion(basename(path))) return;
    await ifPossible(`remove "${path}"`, () => rm(path, { force: true }));
  }

  #directoryOf(diffID: Digest): string {
    return this.#store.path("indexes", `${algorithmOf(diffID)}-${encodedOf(diffID)}`);
  }
}

/** An index that is being written. */
export class NewIndex implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #temporary: string;
  readonly #directoryOf: (diffID: Digest) => string;
  readonly #hash: Hash = createHash("sha256");

  constructor(file: FileHandle, temporary: string, directoryOf: (diffID: Digest) => string) {
    this.#file = file;
    this.#temporary = temporary;
    this.#directoryOf = directoryOf;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    try {
      await this.#file.writeFile(bytes);
    } catch (error) {
      throw fileSystemError(error, `write "${this.#temporary}"`);
    }
  }

  /** Says that all has been written. */
  async finish(): Promise<void> {
    await this.#file.close();
  }

  /** Makes it the index of a layer. */
  async keep(diffID: Digest): Promise<void> {
    const directory = this.#directoryOf(diffID);
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await rename(this.#temporary, join(directory, `${tocVersion}-${this.#hash.copy().digest("hex")}.json.gz`));
    } catch (error) {
      throw fileSystemError(error, `keep an index in "${directory}"`);
    }
  }

  /** Closes it, and removes it unless it was kept. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
    await rm(this.#temporary, { force: true });
  }
}

/** Whether the name of an index says that this program reads it, and its bytes are those of its name. */
async function isIntact(path: string, signal?: AbortSignal): Promise<boolean> {
  const [, digest] = basename(path, ".json.gz").split("-");
  if (!isOfThisVersion(basename(path)) || (await statIfThere(path)) === undefined) return false;
  const hash = createHash("sha256");
  for await (const chunk of bytesOf(path, signal)) hash.update(chunk);
  return hash.digest("hex") === digest;
}

async function* bytesOf(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  await using file = await open(path).catch((error: unknown) => {
    throw fileSystemError(error, `read "${path}"`);
  });
  yield* readRange(file, { offset: 0, sizeBytes: (await file.stat()).size }, path, signal);
}

function isOfThisVersion(name: string): boolean {
  return name.startsWith(`${tocVersion}-`);
}
