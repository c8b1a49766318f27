import { mkdtemp, readdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { OciUnpackError } from "../base/errors.ts";
import { present } from "../base/present.ts";
import { giveName } from "./give-name.ts";
import { makeDirectories, removeCreated, targetError } from "./made-directories.ts";

const stagingPrefix = ".rootfs-";

/** The files beside the root filesystem, the layers of an overlay, or the files of an artifact. */
export interface Documents {
  /** The command that mounts an overlay. */
  readonly "mount.sh"?: Uint8Array;
  /** The image's configuration in a bundle, where `config.json` is the runtime's. */
  readonly "image-config.json"?: Uint8Array;
  /** The manifest of an artifact. */
  readonly "manifest.json"?: Uint8Array;
  /** Of an artifact only where it says anything. */
  readonly "config.json"?: Uint8Array;
}

export interface CommitOptions {
  /** What the staging directory becomes. Default: `rootfs`. */
  readonly as?: "rootfs" | "layers" | "files";
  /**
   * Called when the staging directory has its name and before the documents have theirs. If it fails, all is undone.
   */
  readonly between?: () => Promise<void>;
}

/**
 * The directory that an image is unpacked into. In the end it has both `rootfs/` and `config.json`, or neither.
 *
 * Files are made in a staging directory inside it. Disposing of it before `commit` leaves the directory as it was, and
 * removes it if it was made here.
 */
export class Target implements AsyncDisposable {
  readonly directory: string;
  /** Absolute path of the private (0700) directory that `commit` renames to `rootfs`. */
  readonly staging: string;
  readonly #firstCreated: string | undefined;
  #isCommitted = false;

  private constructor(directory: string, staging: string, firstCreated: string | undefined) {
    this.directory = directory;
    this.staging = staging;
    this.#firstCreated = firstCreated;
  }

  /**
   * Takes a directory that is empty or does not exist.
   *
   * A new one, and the parents that it needs, get mode 0700: images contain set-user-ID programs, which other users of
   * this machine must not reach.
   */
  static async claim(path: string): Promise<Target> {
    const directory = resolve(path);
    const firstCreated = await makeDirectories(directory, 0o700).catch((error: unknown) => {
      throw unusable(error, directory);
    });
    try {
      await insistOnEmpty(directory);
      return new Target(directory, await mkdtemp(join(directory, stagingPrefix)), firstCreated);
    } catch (error) {
      await removeCreated(directory, firstCreated);
      throw unusable(error, directory);
    }
  }

  get rootfs(): string {
    return this.path("rootfs");
  }

  get config(): string {
    return this.path("config.json");
  }

  /** Absolute path of what has that name in the end. */
  path(name: NonNullable<CommitOptions["as"]> | keyof Documents): string {
    return join(this.directory, name);
  }

  /**
   * Renames the staging directory to what it is to be, and then gives each document its name, `config.json` last. If
   * anything fails, all of it is undone.
   */
  async commit(documents: Documents, { as = "rootfs", between }: CommitOptions = {}): Promise<void> {
    const suffix = this.staging.slice(-6);
    const files = Object.entries<Uint8Array>(present(documents)).map(([name, bytes]) => ({
      bytes,
      temporary: join(this.directory, `.${name}-${suffix}`),
      final: join(this.directory, name),
    }));
    const undo: (() => Promise<void>)[] = [];
    try {
      for (const { temporary, bytes } of files) {
        undo.push(() => rm(temporary, { force: true }));
        await writeFile(temporary, bytes, { flag: "wx" });
      }
      const final = join(this.directory, as);
      await rename(this.staging, final);
      undo.push(() => rename(final, this.staging));
      await between?.();
      for (const { temporary, final } of files) {
        await giveName(temporary, final);
        undo.push(() => rm(final));
      }
    } catch (error) {
      for (const step of undo.toReversed()) await step();
      throw error instanceof OciUnpackError ? error : unusable(error, this.directory);
    }
    this.#isCommitted = true;
  }

  /** Removes the staging directory, which has to be empty, and the directories that were made for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isCommitted) return;
    await rmdir(this.staging).catch(() => {});
    await removeCreated(this.directory, this.#firstCreated);
  }
}

async function insistOnEmpty(directory: string): Promise<void> {
  const names = await readdir(directory);
  if (names.length === 0) return;
  const isLeftover = names.every((name) => name.startsWith(stagingPrefix));
  throw new OciUnpackError("TARGET_NOT_EMPTY", `cannot unpack into "${directory}": it is not empty`, {
    hint: isLeftover
      ? "another unpacking is using it, or one was killed: remove the directory when none is running"
      : "name a directory that does not exist yet, or an empty one",
  });
}

function unusable(error: unknown, directory: string): unknown {
  return targetError(error, `unpack into "${directory}"`, "name a directory, absent or empty, where you may write");
}
