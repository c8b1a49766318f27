import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rename, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ifThere, namesIn, statIfThere } from "../base/if-there.ts";
import { fileSystemError, isErrno } from "../base/system-error.ts";
import type { Digest } from "../oci/digest.ts";
import { discardFromThread } from "../worker/discarding.ts";
import type { BlobStore } from "./blob-store.ts";
import { noteUse } from "./note-use.ts";

/** What images became, by kind: files, and root filesystems. */
export type KeptKind = "output" | "tree";

/** The folder of a store that has all results of a kind. */
const folders: Readonly<Record<KeptKind, string>> = { output: "outputs", tree: "trees" };

/** What is recorded of every result that is kept. Each kind has more to say of its own. */
export interface KeptRecord {
  /** The canonical name of the image, for people. */
  readonly name: string;
  /** The digest of its manifest. */
  readonly digest: Digest;
  /** What kind of file an output is. */
  readonly form?: string;
  /** How many bytes its files have. */
  readonly sizeBytes: number;
}

/** A result that is kept. */
export interface KeptResult<Record extends KeptRecord = KeptRecord> {
  readonly kind: KeptKind;
  /** What its directory is called. */
  readonly key: string;
  /** The absolute path of its directory. */
  readonly path: string;
  readonly record: Record;
  readonly lastUsed: Date;
}

/** The file with the record, which is written last. */
const recordFile = "record.json";

/**
 * What images became, kept in a store:
 *
 *     outputs/KEY/  trees/KEY/    a result, with its `record.json`
 *
 * The key is made of all that decides what the result is. A result appears as a whole, and never changes.
 */
export class KeptResults<Record extends KeptRecord = KeptRecord> {
  readonly #store: BlobStore;
  readonly #kind: KeptKind;

  constructor(store: BlobStore, kind: KeptKind) {
    this.#store = store;
    this.#kind = kind;
  }

  /** The absolute path of the store. */
  get storeDirectory(): string {
    return this.#store.directory;
  }

  /** A result; `undefined` if there is none that can be read. */
  async find(key: string): Promise<KeptResult<Record> | undefined> {
    const path = this.#pathOf(key);
    const text = await ifThere(`read the record of "${path}"`, () => readFile(join(path, recordFile), "utf8"));
    // Nobody else writes records, and one that was changed is none.
    const record = text === undefined ? undefined : (intactRecord(text) as Record | undefined);
    const found = await statIfThere(path);
    if (record === undefined || found === undefined) return undefined;
    return { kind: this.#kind, key, path, record, lastUsed: found.mtime };
  }

  /** Notes that a result was used now, if the store can be written to. */
  async touch({ path }: KeptResult): Promise<void> {
    await noteUse(path);
  }

  /** Makes a private directory for a result that is to be made. `keep` moves it; whoever fails has to discard it. */
  async stage(): Promise<string> {
    try {
      return await mkdtemp(this.#store.path("ingest", `${this.#kind}-`));
    } catch (error) {
      throw fileSystemError(error, `write to the store "${this.#store.directory}"`);
    }
  }

  /** Makes what was staged the result of a key, in the stead of one that is there. Returns its path. */
  async keep(staged: string, key: string, record: Record): Promise<string> {
    const path = this.#pathOf(key);
    try {
      await writeFile(join(staged, recordFile), writtenRecord(record), { flush: true });
      await mkdir(this.#store.path(folders[this.#kind]), { recursive: true, mode: 0o700 });
      for (;;) {
        try {
          await rename(staged, path);
          return path;
        } catch (error) {
          if (!isErrno(error, "EEXIST", "ENOTEMPTY")) throw error;
        }
        await this.remove(key);
      }
    } catch (error) {
      throw fileSystemError(error, `keep a result in the store "${this.#store.directory}"`);
    }
  }

  /** Removes a result, for instance one that was damaged. Whoever is reading it notices that it goes. */
  async remove(key: string): Promise<void> {
    const aside = await this.stage();
    await ifThere(`remove "${this.#pathOf(key)}"`, () => rename(this.#pathOf(key), aside));
    await this.discard(aside);
  }

  /** Removes a directory that was staged, and all that is in it. */
  async discard(staged: string): Promise<void> {
    await discardFromThread(staged, "prefer");
    await ifThere(`remove "${staged}"`, () => rmdir(staged));
  }

  /** All results, the last used one first. What cannot be read is none. */
  async all(): Promise<readonly KeptResult<Record>[]> {
    const results: KeptResult<Record>[] = [];
    for (const key of await this.#keys()) {
      const result = await this.find(key);
      if (result !== undefined) results.push(result);
    }
    return results.sort((one, other) => other.lastUsed.getTime() - one.lastUsed.getTime());
  }

  /** The absolute paths of what cannot be read: what was damaged, or not removed to its end. */
  async withoutRecord(): Promise<readonly string[]> {
    const paths: string[] = [];
    for (const key of await this.#keys()) if ((await this.find(key)) === undefined) paths.push(this.#pathOf(key));
    return paths;
  }

  #keys(): Promise<readonly string[]> {
    return namesIn(this.#store.path(folders[this.#kind]));
  }

  #pathOf(key: string): string {
    return this.#store.path(folders[this.#kind], key);
  }
}

/** The key of what decides a result: the same values in the same order make the same key. */
export function keyOf(decisive: object): string {
  return createHash("sha256").update(JSON.stringify(decisive)).digest("hex");
}

/** A record as it is written: `{"sha256":"…","record":{…}}`, with the digest of the record's text. */
function writtenRecord(record: KeptRecord): string {
  const text = JSON.stringify(record);
  return `${recordStart(text)}${text}}`;
}

function recordStart(text: string): string {
  return `{"sha256":"${createHash("sha256").update(text).digest("hex")}","record":`;
}

/** A record as it was written; `undefined` where it is not what was written any more. */
function intactRecord(written: string): unknown {
  const text = written.slice(recordStart("").length, -1);
  return written === `${recordStart(text)}${text}}` ? JSON.parse(text) : undefined;
}
