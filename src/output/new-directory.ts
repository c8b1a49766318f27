import { mkdtemp, readdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { OciUnpackError } from "../base/errors.ts";
import { giveName } from "./give-name.ts";
import { makeDirectories, removeCreated, targetError } from "./made-directories.ts";

const stagingPrefix = ".rootfs-";

/** What stands beside the root filesystem, or beside the layers of an overlay. */
export interface Documents {
  /** For an overlay, the command that mounts it. */
  readonly "mount.sh"?: Uint8Array;
  /** In a bundle, the image's configuration, whose place the runtime's has. */
  readonly "image-config.json"?: Uint8Array;
  readonly "config.json": Uint8Array;
}

export interface CommitOptions {
  /** What the staging directory becomes. Default: `rootfs`. */
  readonly as?: "rootfs" | "layers";
  readonly between?: () => Promise<void>;
}

/**
 * The directory that is to receive an image: `rootfs/` and `config.json`, both or neither.
 *
 * Files are made in a staging directory beside their final place. Until `commit` a disposal leaves the directory as it
 * was found, and removes it if it was made here.
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
   * Claims a directory that is absent or empty.
   *
   * One that has to be made, with the parents it needs, is 0700: images contain set-user-ID programs, which other users
   * of this machine must not reach.
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
    return join(this.directory, "rootfs");
  }

  get config(): string {
    return join(this.directory, "config.json");
  }

  /**
   * Makes the staging directory the root filesystem, or whatever else is wanted, and then gives each document its name,
   * `config.json` last of all. What is to be done `between` these two is undone with them if it fails.
   */
  async commit(documents: Documents, { as = "rootfs", between }: CommitOptions = {}): Promise<void> {
    const suffix = this.staging.slice(-6);
    const files = Object.entries(documents).map(([name, bytes]) => ({
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

  /** Removes what is left of the staging directory; its contents must be gone. */
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
