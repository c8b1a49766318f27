import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { fileSystemError } from "../base/system-error.ts";
import { NewFile } from "../output/new-file.ts";
import { type KeptFile, keepFile, keepOpenFile, type OutputRecord } from "../store/kept-files.ts";
import type { KeptResults } from "../store/kept-results.ts";
import type { Making } from "./make-output.ts";

/** What the files of an output are called in a store, and where they are made. */
export function filesOf(
  output: NewFile,
  hashes: NewFile | undefined,
): readonly { readonly name: string; readonly path: string }[] {
  const content = { name: contentName, path: output.temporaryPath };
  return hashes === undefined ? [content] : [content, { name: "hashes", path: hashes.temporaryPath }];
}

const contentName = "content";

type KeptFiles = Pick<OutputRecord, "files" | "sizeBytes">;

/** An output that is being made, and of which a store gets a copy. Disposed of before `keep`, it leaves none there. */
export class OutputToKeep<Record extends OutputRecord> implements AsyncDisposable {
  /** The output, from which the store gets what goes into a stream. A file is read when it is complete. */
  readonly output: Making["output"];
  readonly #results: KeptResults<Record>;
  readonly #staged: string;
  readonly #copy: FileHandle | undefined;
  #isKept = false;

  private constructor(results: KeptResults<Record>, staged: string, output: Making["output"], copy?: FileHandle) {
    this.#results = results;
    this.#staged = staged;
    this.#copy = copy;
    this.output = copy === undefined ? output : withCopy(output, copy, results);
  }

  static async open<Record extends OutputRecord>(
    results: KeptResults<Record>,
    output: Making["output"],
  ): Promise<OutputToKeep<Record>> {
    const staged = await results.stage();
    if (output instanceof NewFile) return new OutputToKeep(results, staged, output);
    try {
      return new OutputToKeep(results, staged, output, await open(join(staged, contentName), "wx+", 0o600));
    } catch (error) {
      await results.discard(staged);
      throw unkept(error, results);
    }
  }

  /** Keeps the output, which is complete, under a key. */
  async keep(key: string, making: Making, recordOf: (kept: KeptFiles) => Record): Promise<void> {
    const files = await this.#files(making).catch((error: unknown) => {
      making.operation.signal.throwIfAborted();
      throw unkept(error, this.#results);
    });
    const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
    await this.#results.keep(this.#staged, key, recordOf({ files, sizeBytes }));
    this.#isKept = true;
  }

  async #files({ output, hashes, operation }: Making): Promise<readonly KeptFile[]> {
    const { signal } = operation;
    if (this.#copy !== undefined) return [await keepOpenFile(this.#copy, contentName, signal)];
    if (!(output instanceof NewFile)) return [];
    const files: KeptFile[] = [];
    for (const { name, path } of filesOf(output, hashes))
      files.push(await keepFile(path, { directory: this.#staged, name }, signal));
    return files;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#copy?.close();
    if (!this.#isKept) await this.#results.discard(this.#staged);
  }
}

function withCopy(output: Making["output"], copy: FileHandle, results: Place): Making["output"] {
  return {
    temporaryDirectory: output.temporaryDirectory,
    async write(bytes) {
      await copy.writeFile(bytes).catch((error: unknown) => {
        throw unkept(error, results);
      });
      await output.write(bytes);
    },
  };
}

type Place = Pick<KeptResults, "storeDirectory">;

function unkept(error: unknown, { storeDirectory }: Place): unknown {
  return fileSystemError(error, `keep the output in the store "${storeDirectory}"`);
}
