import { randomBytes } from "node:crypto";
import { type FileHandle, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { OciUnpackError } from "../base/errors.ts";
import type { FetchOptions } from "../base/events.ts";
import { namesIn, openIfThere, statIfThere } from "../base/if-there.ts";
import { defaultLimits, type Limits } from "../base/limits.ts";
import { fileSystemError, isErrno } from "../base/system-error.ts";
import { algorithmOf, type Digest, encodedOf, hasherFor, parseDigest } from "../oci/digest.ts";
import { mediaTypes } from "../oci/media-type.ts";
import { giveName, replaceFile } from "../output/give-name.ts";
import { makeDirectories } from "../output/made-directories.ts";
import { blobPath, readRange } from "../source/local/image-files.ts";
import type { LockKind } from "../system/locks.ts";
import { openLocked } from "./file-lock.ts";
import { noteUse } from "./note-use.ts";
import type { Trash } from "./trash.ts";

/** The digest and size of a blob. A Descriptor is one. */
export interface ExpectedBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/**
 * The files of a store: an OCI image layout (image-spec, image-layout.md), and files that only this program uses.
 *
 *     oci-layout  index.json  blobs/ALGORITHM/HEX     what every tool reads
 *     names.json                                      what names stand for of which the store has only a part
 *     ingest/ALGORITHM-HEX.part                       a blob that is being fetched, locked by the process that does it
 *     ingest/…                                        what else is being made
 *     layers/…  overlays/…                            layers as directories, and who uses them
 *     indexes/…  outputs/…  trees/…                   what layers have, and what images became
 *     trash/…                                         what is being removed
 *     in-use.lock  index.lock  prune.lock             only for locks
 */
export class BlobStore {
  /** An absolute path. */
  readonly directory: string;
  readonly limits: Limits;

  /** `limits` are those for the documents that are read in it. */
  constructor(directory: string, limits: Limits = defaultLimits) {
    this.directory = resolve(directory);
    this.limits = limits;
  }

  /** Whether the store has been made. */
  async exists(): Promise<boolean> {
    return (await statIfThere(this.path("oci-layout"))) !== undefined;
  }

  path(...names: readonly string[]): string {
    return join(this.directory, ...names);
  }

  pathOf(digest: Digest): string {
    return this.path(blobPath(digest));
  }

  partPathOf(digest: Digest): string {
    return this.path("ingest", `${algorithmOf(digest)}-${encodedOf(digest)}.part`);
  }

  /** Marks the store as in use: nothing is removed from it as long as any process uses it. */
  use(options: FetchOptions = {}): Promise<FileHandle> {
    return this.lock("in-use.lock", "shared", options);
  }

  /** Waits until no other process uses the store, and keeps all others from using it. */
  useAlone(options: FetchOptions = {}): Promise<FileHandle> {
    return this.lock("in-use.lock", "exclusive", options);
  }

  /** Opens one of the lock files as soon as its lock is free. A long wait is an event. */
  async lock(
    name: "in-use.lock" | "index.lock" | "prune.lock",
    kind: LockKind,
    { signal, onEvent }: FetchOptions = {},
  ): Promise<FileHandle> {
    const onWait = () => onEvent?.({ type: "waiting", reason: `another process uses the store "${this.directory}"` });
    try {
      return await openLocked(this.path(name), kind, { signal, onWait });
    } catch (error) {
      throw fileSystemError(error, `use the store "${this.directory}"`);
    }
  }

  /** Whether there is a blob with that name and size. Its bytes are not verified. */
  async has({ digest, sizeBytes }: ExpectedBlob): Promise<boolean> {
    return (await this.sizeOf(digest)) === sizeBytes;
  }

  /** The size of a blob; `undefined` if it is not stored. */
  async sizeOf(digest: Digest): Promise<number | undefined> {
    return (await statIfThere(this.pathOf(digest)))?.size;
  }

  /**
   * Opens a blob and verifies it; `undefined` if it is not stored. A wrong one is removed, so that it is fetched
   * again.
   */
  async open(blob: ExpectedBlob, signal?: AbortSignal): Promise<FileHandle | undefined> {
    const path = this.pathOf(blob.digest);
    const file = await openIfThere(path);
    if (file === undefined) return undefined;
    try {
      if (await isIntact(file, blob, path, signal)) return file;
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
    await this.remove(blob.digest);
    return undefined;
  }

  /** Opens a blob without verifying more than its size; `undefined` if it is not stored. */
  async openUnchecked({ digest, sizeBytes }: ExpectedBlob): Promise<FileHandle | undefined> {
    const file = await openIfThere(this.pathOf(digest));
    if (file === undefined || (await file.stat()).size === sizeBytes) return file;
    await file.close();
    return undefined;
  }

  /** Whether a blob is stored and its bytes have the digest in its name. */
  async isIntact(digest: Digest, signal?: AbortSignal): Promise<boolean> {
    const sizeBytes = await this.sizeOf(digest);
    const path = this.pathOf(digest);
    const file = await openIfThere(path);
    if (file === undefined || sizeBytes === undefined) return false;
    try {
      return await isIntact(file, { digest, sizeBytes }, path, signal);
    } finally {
      await file.close();
    }
  }

  /** The digests of all blobs whose algorithm is known. */
  async digests(): Promise<readonly Digest[]> {
    const digests: Digest[] = [];
    for (const algorithm of ["sha256", "sha512"]) {
      for (const name of await namesIn(this.path("blobs", algorithm))) {
        const digest = parseDigest(`${algorithm}:${name}`);
        if (digest !== undefined) digests.push(digest);
      }
    }
    return digests;
  }

  /** The sizes of all blobs by their digests. */
  async sizes(): Promise<ReadonlyMap<Digest, number>> {
    const sizes = new Map<Digest, number>();
    for (const digest of await this.digests()) {
      const sizeBytes = await this.sizeOf(digest);
      if (sizeBytes !== undefined) sizes.set(digest, sizeBytes);
    }
    return sizes;
  }

  async remove(digest: Digest): Promise<void> {
    await rm(this.pathOf(digest), { force: true }).catch((error: unknown) => {
      throw fileSystemError(error, `remove blob ${digest} from the store "${this.directory}"`);
    });
  }

  /** Removes what is unfinished, and returns where it is then. Only while no other process uses the store. */
  async clearIngest(trash: Trash): Promise<string> {
    const taken = await trash.take(this.path("ingest"));
    await mkdir(this.path("ingest"));
    return taken;
  }

  /** When an image was last used; `undefined` if its document is missing. */
  async lastUse(digest: Digest): Promise<Date | undefined> {
    return (await statIfThere(this.pathOf(digest)))?.mtime;
  }

  /** Notes that an image is used now, in the modification time of its document. The content never changes. */
  async touch(digest: Digest): Promise<void> {
    await noteUse(this.pathOf(digest));
  }

  /** Stores bytes that have been verified. */
  async put({ digest, sizeBytes }: ExpectedBlob, bytes: Uint8Array): Promise<void> {
    if (await this.has({ digest, sizeBytes })) return;
    await this.replace(this.pathOf(digest), bytes, 0o444);
  }

  /** Replaces the content of a file: a reader sees the old content or the new one, also after a crash. */
  async replace(path: string, bytes: Uint8Array, mode = 0o644): Promise<void> {
    const temporary = this.temporaryPath();
    try {
      await mkdir(dirname(path), { recursive: true });
      await replaceFile(path, bytes, { mode, temporary });
    } catch (error) {
      throw fileSystemError(error, `write "${path}"`);
    }
  }

  /** The path of a new file that nobody else uses. */
  temporaryPath(): string {
    return this.path("ingest", `${randomBytes(8).toString("hex")}.tmp`);
  }
}

async function isIntact(
  file: FileHandle,
  { digest, sizeBytes }: ExpectedBlob,
  path: string,
  signal?: AbortSignal,
): Promise<boolean> {
  if ((await file.stat()).size !== sizeBytes) return false;
  const hasher = hasherFor(digest);
  for await (const chunk of readRange(file, { offset: 0, sizeBytes }, path, signal)) hasher.update(chunk);
  return hasher.digest() === digest;
}

/** An index that names nothing. */
export const emptyIndex = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] };

/** Makes a store if there is none. Throws `TARGET_NOT_EMPTY` for a directory with something else in it. */
export async function makeStore(store: BlobStore): Promise<void> {
  try {
    const isMade = await store.exists();
    await makeDirectories(store.directory, 0o700);
    if (!isMade) await insistOnOurs(store.directory);
    // Not `recursive`: on a read-only file system Node would then report that there is no such directory (Node 20).
    for (const name of ["blobs", "blobs/sha256", "ingest"]) await mkdir(store.path(name)).catch(unlessThere);
    if (isMade) return;
    await makeIndex(store);
    // Last: a store that has this file is complete.
    await store.replace(store.path("oci-layout"), Buffer.from(JSON.stringify({ imageLayoutVersion: "1.0.0" })));
  } catch (error) {
    throw fileSystemError(error, `make the store "${store.directory}"`);
  }
}

/** Makes the index whole or not at all: half a one, as on a full disk, would stay. Another process may have made it. */
async function makeIndex(store: BlobStore): Promise<void> {
  const temporary = store.temporaryPath();
  try {
    await writeFile(temporary, JSON.stringify(emptyIndex), { flag: "wx", flush: true });
    await giveName(temporary, store.path("index.json")).catch(unlessThere);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Throws if the directory has other content than a store that another process may be making at the moment. */
async function insistOnOurs(directory: string): Promise<void> {
  const ours = ["blobs", "ingest", "index.json", "oci-layout", "in-use.lock", ".locks"];
  const stranger = (await namesIn(directory)).find((name) => !ours.includes(name));
  if (stranger === undefined) return;
  throw new OciUnpackError(
    "TARGET_NOT_EMPTY",
    `cannot use "${directory}" as a store: it is not an OCI image layout and contains "${stranger}"`,
    { hint: "name a directory that does not exist yet, an empty one, or an OCI image layout" },
  );
}

function unlessThere(error: unknown): void {
  if (!isErrno(error, "EEXIST")) throw error;
}
