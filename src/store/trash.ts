import { mkdir, rename, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { ifThere, statIfThere } from "../base/if-there.ts";
import { discardFromThread } from "../worker/discarding.ts";

/**
 * What was taken out of a store and is yet to be removed, in the store's directory `trash`. Taking is quick, removing
 * may take long: others may use the store meanwhile. For who prunes it, one at a time.
 */
export class Trash {
  readonly #directory: string;
  #count = 0;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Removes first what an earlier one, which was ended, has left. */
  static async open(directory: string): Promise<Trash> {
    const trash = new Trash(directory);
    if ((await statIfThere(trash.#directory)) !== undefined) await trash.empty();
    await mkdir(trash.#directory, { mode: 0o700 });
    return trash;
  }

  /** Takes a file, or a directory with all that is in it, if it is there. */
  async take(path: string): Promise<void> {
    await ifThere(`remove "${path}"`, () => rename(path, join(this.#directory, String(this.#count))));
    this.#count += 1;
  }

  /** Removes everything. Layers may be there, whose directories their own modes close even to their owner. */
  async empty(): Promise<void> {
    await discardFromThread(this.#directory, "prefer");
    await rmdir(this.#directory);
  }
}
