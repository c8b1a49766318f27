import { lstat, mkdir, readdir, rename, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { ifThere, statIfThere } from "../base/if-there.ts";
import { discardFromThread } from "../worker/discarding.ts";

/**
 * The directory `trash` of a store, for what is to be removed. Moving something there is quick, while removing it may
 * take long; other processes can use the store meanwhile. One process at a time uses it.
 */
export class Trash {
  readonly #directory: string;
  #count = 0;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Makes the directory, after removing what a process that was killed has left there. */
  static async open(directory: string): Promise<Trash> {
    const trash = new Trash(directory);
    if ((await statIfThere(trash.#directory)) !== undefined) await trash.empty();
    await mkdir(trash.#directory, { mode: 0o700 });
    return trash;
  }

  /** Moves a file or a directory to the trash, if it is there. Returns where it is then. */
  async take(path: string): Promise<string> {
    const taken = join(this.#directory, String(this.#count));
    await ifThere(`remove "${path}"`, () => rename(path, taken));
    this.#count += 1;
    return taken;
  }

  /** Removes everything. A layer may have directories whose modes close them even to their owner. */
  async empty(): Promise<void> {
    await discardFromThread(this.#directory, "prefer");
    await rmdir(this.#directory);
  }
}

/** About how many bytes the files at a path have: what cannot be looked at counts for nothing. */
export async function bytesAt(path: string): Promise<number> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) return found?.isFile() === true ? found.size : 0;
  let bytes = 0;
  for (const name of await readdir(path).catch(() => [])) bytes += await bytesAt(join(path, name));
  return bytes;
}
