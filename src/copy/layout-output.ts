import { mkdir, mkdtemp, open, readdir, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { OciUnpackError } from "../base/errors.ts";
import { fileSystemError } from "../base/system-error.ts";
import { giveName } from "../output/give-name.ts";
import { makeDirectories, removeCreated, targetError } from "../output/made-directories.ts";
import type { CopyOutput } from "./copy-output.ts";

/** The file that makes a directory a layout. It gets its name last. */
const last = "index.json";

/** How the directory is called in which a layout is made. */
const stagingPrefix = ".copy-";

/** The only directory in a layout. */
const blobs = "blobs";

/** Writes a copy as an OCI layout, into a directory that is empty or does not exist. */
export class LayoutOutput implements CopyOutput {
  readonly #directory: string;
  readonly #staging: string;
  readonly #firstCreated: string | undefined;
  readonly #renamed: string[] = [];
  #isCommitted = false;

  private constructor(directory: string, staging: string, firstCreated: string | undefined) {
    this.#directory = directory;
    this.#staging = staging;
    this.#firstCreated = firstCreated;
  }

  static async open(path: string): Promise<LayoutOutput> {
    const directory = resolve(path);
    let firstCreated: string | undefined;
    try {
      firstCreated = await makeDirectories(directory, 0o777);
      const names = await readdir(directory);
      if (names.length > 0) throw notEmpty(directory, names);
      return new LayoutOutput(directory, await mkdtemp(join(directory, stagingPrefix)), firstCreated);
    } catch (error) {
      await removeCreated(directory, firstCreated);
      throw targetError(error, `write to "${directory}"`, "name a directory, absent or empty, where you may write");
    }
  }

  get temporaryDirectory(): string {
    return this.#staging;
  }

  async add(path: string, _sizeBytes: number, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    const target = join(this.#staging, path);
    await this.#attempt(() => mkdir(dirname(target), { recursive: true }));
    const file = await this.#attempt(() => open(target, "wx", 0o644));
    try {
      for await (const chunk of chunks) await this.#attempt(() => file.writeFile(chunk));
    } finally {
      await file.close();
    }
  }

  async commit(): Promise<void> {
    await this.#attempt(async () => {
      const names = await readdir(this.#staging);
      for (const name of [...names.filter((each) => each !== last), last]) {
        const giveFinalName = name === blobs ? rename : giveName;
        await giveFinalName(join(this.#staging, name), join(this.#directory, name));
        this.#renamed.push(name);
      }
      await rmdir(this.#staging);
    });
    this.#isCommitted = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isCommitted) return;
    const ours = [this.#staging, ...this.#renamed.map((name) => join(this.#directory, name))];
    for (const path of ours) await rm(path, { recursive: true, force: true });
    await removeCreated(this.#directory, this.#firstCreated);
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw fileSystemError(error, `write to "${this.#directory}"`);
    }
  }
}

function notEmpty(directory: string, names: readonly string[]): OciUnpackError {
  const isLeftover = names.every((name) => name.startsWith(stagingPrefix));
  return new OciUnpackError("TARGET_NOT_EMPTY", `cannot write to "${directory}": it is not empty`, {
    hint: isLeftover
      ? "another copy is being made there, or one was killed: remove the directory when none is running"
      : "name a directory that does not exist yet, or an empty one",
  });
}
