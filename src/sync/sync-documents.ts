import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import { open, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { limitExceeded, OciUnpackError } from "../base/errors.ts";
import { ifThere } from "../base/if-there.ts";
import { fileSystemError } from "../base/system-error.ts";
import type { Documents } from "../output/new-directory.ts";
import { stagingName } from "./sync-names.ts";

/** `config.json` is the last to come. */
const names = ["image-config.json", "config.json"] as const;

/** The documents beside a root filesystem, while it becomes another one. */
export class SyncDocuments {
  readonly #directory: string;
  readonly #found: ReadonlyMap<string, Uint8Array>;
  #wanted: Documents | undefined;

  private constructor(directory: string, found: ReadonlyMap<string, Uint8Array>) {
    this.#directory = directory;
    this.#found = found;
  }

  /** Reads those that are there. Throws where one is no file. */
  static async read(directory: string, limit: { readonly configBytes: number }): Promise<SyncDocuments> {
    const found = new Map<string, Uint8Array>();
    for (const name of names) {
      const bytes = await contentIfThere(join(directory, name), limit);
      if (bytes !== undefined) found.set(name, bytes);
    }
    return new SyncDocuments(directory, found);
  }

  /** Whether there is a configuration. */
  get areThere(): boolean {
    return this.#found.has("config.json");
  }

  /** The configuration of the image that lies there, byte for byte; in a bundle `config.json` is the container's. */
  get imageConfig(): Uint8Array | undefined {
    return this.#found.get("image-config.json") ?? this.#found.get("config.json");
  }

  /** Whether another configuration of an image is there, or none, or documents of a bundle where none is wanted. */
  isOther(imageConfig: Uint8Array, isBundle: boolean): boolean {
    const found = this.imageConfig;
    if (found === undefined || this.#found.has("image-config.json") !== isBundle) return true;
    return Buffer.compare(found, imageConfig) !== 0;
  }

  /** Whether what is there is what is to be there. */
  areSame(wanted: Documents): boolean {
    return names.every((name) => {
      const [found, expected] = [this.#found.get(name), wanted[name]];
      return found === undefined || expected === undefined ? found === expected : Buffer.compare(found, expected) === 0;
    });
  }

  /** Writes those that are wanted, beside where they will be. */
  async write(wanted: Documents): Promise<void> {
    await this.clear();
    this.#wanted = wanted;
    for (const name of names) {
      const bytes = wanted[name];
      const path = this.#newPath(name);
      if (bytes !== undefined) await attempt(`write "${path}"`, () => writeFile(path, bytes, { flag: "wx" }));
    }
  }

  /** Takes away those that are there. */
  async takeAway(): Promise<void> {
    for (const name of names.toReversed()) {
      const path = this.#path(name);
      if (this.#found.has(name)) await attempt(`replace "${path}"`, () => rename(path, this.#oldPath(name)));
    }
  }

  /** Puts those back that were taken away. */
  async putBack(): Promise<void> {
    for (const name of names) {
      if (this.#found.has(name)) await rename(this.#oldPath(name), this.#path(name)).catch(() => {});
    }
  }

  /** Puts those that were written where they belong, in the place of what is there. */
  async putIn(): Promise<void> {
    for (const name of names) {
      const path = this.#path(name);
      if (this.#wanted?.[name] !== undefined) await attempt(`write "${path}"`, () => rename(this.#newPath(name), path));
      else if (this.#found.has(name)) await rm(path, { force: true });
    }
  }

  /** Removes what is not where it belongs. */
  async clear(): Promise<void> {
    for (const name of names) {
      for (const path of [this.#newPath(name), this.#oldPath(name)]) {
        await attempt(`remove "${path}"`, () => rm(path, { force: true }));
      }
    }
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }

  #newPath(name: string): string {
    return join(this.#directory, `${stagingName}-${name}`);
  }

  #oldPath(name: string): string {
    return join(this.#directory, `${stagingName}-old-${name}`);
  }
}

async function attempt<Result>(attempted: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw fileSystemError(error, attempted);
  }
}

/** The content of a file; a symlink is not followed, and a fifo does not block. */
function contentIfThere(path: string, { configBytes }: { readonly configBytes: number }) {
  return ifThere(`read "${path}"`, async () => {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const stat = await file.stat();
    if (!stat.isFile()) throw new OciUnpackError("TARGET_UNUSABLE", `cannot sync: "${path}" is no file`);
    if (stat.size <= configBytes) return await file.readFile();
    const message = `cannot read "${path}": it has ${stat.size} bytes, ${configBytes} are allowed (configBytes)`;
    throw limitExceeded(message, "configBytes", { allowed: configBytes });
  });
}
