import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readdir, realpath, rename, rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { OciUnpackError } from "../base/errors.ts";
import { lstatIfThere } from "../base/if-there.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import { fileSystemError, isErrno } from "../base/system-error.ts";
import { makeDirectories, removeCreated, targetError } from "../output/made-directories.ts";
import { discardFromThread } from "../worker/discarding.ts";
import { mountedAt } from "./mounts.ts";
import { SyncDocuments } from "./sync-documents.ts";
import { newStagingName, rootName, stagingName } from "./sync-names.ts";

interface OpenOptions {
  readonly isDryRun: boolean;
  readonly isForced: boolean;
  /** How large a configuration may be. */
  readonly configBytes: number;
}

/**
 * A directory that is to become what an image says. Nobody else syncs it until this is disposed of.
 *
 * Whoever may write to it is not trusted: a name in it may lead elsewhere at any moment. So names are followed by the
 * confined thread alone, which goes by handles; here they are looked at, made and renamed.
 */
export class SyncPlace implements AsyncDisposable {
  /** Absolute, without symlinks. */
  readonly directory: string;
  /** Whether it is there: a rehearsal makes none. */
  readonly isThere: boolean;
  readonly documents: SyncDocuments;
  /** Whether a sync was killed here. */
  readonly wasLeft: boolean;
  readonly #lock: FileHandle | undefined;
  /** What was made for it, from the uppermost directory down. */
  readonly #created: { readonly first: string | undefined; readonly last: string };
  #isStaged = false;
  #isDone = false;

  private constructor(
    directory: string,
    documents: SyncDocuments,
    parts: Pick<SyncPlace, "wasLeft"> & {
      readonly lock: FileHandle | undefined;
      readonly created: { readonly first: string | undefined; readonly last: string };
    },
  ) {
    this.directory = directory;
    this.documents = documents;
    this.isThere = parts.lock !== undefined;
    this.wasLeft = parts.wasLeft;
    this.#lock = parts.lock;
    this.#created = parts.created;
  }

  /** Throws where the directory is none that an image may be put in the place of. */
  static async open(path: string, options: OpenOptions): Promise<SyncPlace> {
    const absolute = resolve(path);
    if (options.isDryRun && (await lstatIfThere(absolute)) === undefined) {
      const nothing = { wasLeft: false, lock: undefined, created: { first: undefined, last: absolute } };
      return new SyncPlace(absolute, await SyncDocuments.read(absolute, options), nothing);
    }
    const firstCreated = options.isDryRun
      ? undefined
      : await makeDirectories(absolute, 0o700).catch((error: unknown) => {
          throw unusable(error, path);
        });
    let lock: FileHandle | undefined;
    try {
      const directory = await realpath(absolute);
      lock = await locked(directory, path);
      const wasLeft = await insistOnSyncable(directory, path, options);
      const created = { first: firstCreated, last: absolute };
      return new SyncPlace(directory, await SyncDocuments.read(directory, options), { wasLeft, lock, created });
    } catch (error) {
      await lock?.close();
      await removeCreated(absolute, firstCreated);
      throw unusable(error, path);
    }
  }

  get rootfs(): string {
    return join(this.directory, rootName);
  }

  get config(): string {
    return join(this.directory, "config.json");
  }

  /** Absolute path of the private directory in which the new root is made. */
  get staging(): string {
    return join(this.directory, stagingName);
  }

  /** Refuses a file in the root filesystem, which goes with all that is in it. */
  async insistIsOutside(file: string): Promise<void> {
    const directory = await realpath(dirname(file)).catch(() => ""); // whoever makes the file tells why it cannot be
    if (directory !== this.rootfs && !directory.startsWith(`${this.rootfs}/`)) return;
    throw new OciUnpackError(
      "TARGET_UNUSABLE",
      `cannot write "${file}": it is in the root filesystem that is replaced`,
      {
        hint: "name a file outside of it",
      },
    );
  }

  /**
   * Makes an empty directory for a new root, in the place of what a sync that was killed left. It is made anew: what was
   * there may be somebody else's.
   */
  async stage(sandbox: SandboxPolicy): Promise<void> {
    const made = join(this.directory, newStagingName);
    try {
      for (const path of [made, this.staging]) await discardIfThere(path, sandbox);
    } catch (error) {
      throw this.#stays(error, `cannot sync "${this.directory}": what another sync left there cannot be removed`);
    }
    this.#isStaged = true;
    try {
      await removeDirectory(made);
      await mkdir(made, { mode: 0o700 });
      await rename(made, this.staging);
    } catch (error) {
      throw unusable(error, this.directory);
    }
  }

  /** Removes the old root, when the new one is in its place. */
  async removeOld(sandbox: SandboxPolicy, empty: Emptying): Promise<void> {
    try {
      await this.clear(sandbox, empty);
    } catch (error) {
      throw this.#stays(error, `"${this.rootfs}" is what it was to become, but the old root cannot be removed`);
    }
  }

  /**
   * Removes the staging directory with what is in it: a new root that failed, or the old one. `empty` is to empty it, if
   * no thread is to be started for it.
   */
  async clear(sandbox: SandboxPolicy, empty: Emptying = discardFromThread): Promise<void> {
    const left = join(this.directory, newStagingName);
    await discardIfThere(left, sandbox);
    await removeDirectory(left);
    await discardIfThere(this.staging, sandbox, empty);
    await removeDirectory(this.staging);
    this.#isStaged = false;
    await this.documents.clear();
  }

  /**
   * Cleans up after a failure. Where there is no `config.json`, the empty staging directory stays: by it the next sync
   * knows that the directory is its own.
   */
  async giveUp(sandbox: SandboxPolicy): Promise<void> {
    if (!this.#isStaged) return await this.documents.clear();
    if (this.wasLeft && !this.documents.areThere) await discardIfThere(this.staging, sandbox);
    else await this.clear(sandbox);
  }

  #stays(error: unknown, found: string): unknown {
    if (!(error instanceof OciUnpackError)) return error;
    const hint = `remove "${this.staging}", as a user who may; until then no other sync begins here`;
    return new OciUnpackError(error.code, `${found}: ${error.message}`, { hint, cause: error, details: error.details });
  }

  /** Says that the directory is what it was to become. */
  finish(): void {
    this.#isDone = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lock?.close();
    if (!this.#isDone) await removeCreated(this.#created.last, this.#created.first);
  }
}

/** Empties a directory that has an image's files, on a confined thread. */
type Emptying = (path: string, sandbox: SandboxPolicy) => Promise<void>;

async function discardIfThere(
  path: string,
  sandbox: SandboxPolicy,
  empty: Emptying = discardFromThread,
): Promise<void> {
  if ((await lstatIfThere(path))?.isDirectory() === true) await empty(path, sandbox);
}

/** Where nothing is there, nothing is asked of a file system that can only be read. */
async function removeDirectory(path: string): Promise<void> {
  if ((await lstatIfThere(path)) === undefined) return;
  await rmdir(path).catch((error: unknown) => {
    if (!isErrno(error, "ENOENT")) throw fileSystemError(error, `remove "${path}"`);
  });
}

/** Opens a directory and locks it, against others that sync it. */
async function locked(directory: string, path: string): Promise<FileHandle> {
  const { tryLock } = await import("../linux/lock.ts");
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  if (tryLock(handle.fd, "exclusive")) return handle;
  await handle.close();
  throw refused(path, "another sync is using it", "wait for its end");
}

/** Insists that a directory is one that may be synced. Tells whether a sync was killed there. */
async function insistOnSyncable(directory: string, path: string, { isForced }: OpenOptions): Promise<boolean> {
  const names = await readdir(directory);
  const [root, layers, left] = await Promise.all(
    [rootName, "layers", stagingName].map((name) => lstatIfThere(join(directory, name))),
  );
  if (layers?.isDirectory() === true) {
    throw refused(path, "it is an overlay's", "unpack into another directory; an overlay's layers are shared");
  }
  if (root?.isSymbolicLink() === true) {
    throw refused(path, "its rootfs is a symlink", "put the directory that it leads to in its place");
  }
  if (root !== undefined && !root.isDirectory()) throw refused(path, "its rootfs is no directory", "remove it");
  if (left !== undefined && !left.isDirectory())
    throw refused(path, `its ${stagingName} is no directory`, "remove that name");
  const mounted = await mountedAt(join(directory, rootName));
  if (mounted !== undefined) {
    throw refused(
      path,
      `something is mounted at "${mounted}"`,
      "unmount it first: a mount cannot move to another root",
    );
  }
  const wasLeft = names.some((name) => name.startsWith(stagingName));
  if (names.length > 0 && !names.includes("config.json") && !wasLeft && !isForced) {
    throw new OciUnpackError(
      "TARGET_NOT_EMPTY",
      `cannot sync "${path}": it has no config.json, so no image was unpacked there`,
      { hint: "name the directory that an image was unpacked into; `force` takes this one all the same" },
    );
  }
  return wasLeft;
}

function refused(path: string, found: string, hint: string): OciUnpackError {
  return new OciUnpackError("TARGET_UNUSABLE", `cannot sync "${path}": ${found}`, { hint });
}

function unusable(error: unknown, path: string): unknown {
  return error instanceof OciUnpackError
    ? error
    : targetError(error, `sync "${path}"`, "name a directory where you may write");
}
