import { randomBytes } from "node:crypto";
import { type FileHandle, lstat, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Writable } from "node:stream";
import { unlessAborted } from "../base/abort.ts";
import { OciUnpackError } from "../base/errors.ts";
import { fileSystemError, isErrno } from "../base/system-error.ts";
import { giveName } from "./give-name.ts";
import { targetError } from "./made-directories.ts";

/** Where the bytes of an archive go. */
export interface ByteOutput extends AsyncDisposable {
  readonly temporaryDirectory: string;
  write(bytes: Uint8Array): Promise<void>;
  commit(): Promise<void>;
}

/** A file that appears when it is complete, where there was none before. */
export class NewFile implements ByteOutput {
  readonly #path: string;
  readonly #temporary: string;
  readonly #file: FileHandle;
  #isCommitted = false;

  private constructor(path: string, temporary: string, file: FileHandle) {
    this.#path = path;
    this.#temporary = temporary;
    this.#file = file;
  }

  static async open(path: string): Promise<NewFile> {
    const absolute = resolve(path);
    const temporary = join(dirname(absolute), `.oci-unpack-${randomBytes(4).toString("hex")}`);
    try {
      if (await isThere(absolute)) throw collision(absolute);
      return new NewFile(absolute, temporary, await open(temporary, "wx", 0o644));
    } catch (error) {
      throw unusable(error, absolute);
    }
  }

  get temporaryDirectory(): string {
    return dirname(this.#path);
  }

  /** The path that it has until it is complete, for programs that write it themselves. */
  get temporaryPath(): string {
    return this.#temporary;
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      await this.#file.writeFile(bytes);
    } catch (error) {
      throw fileSystemError(error, `write "${this.#path}"`);
    }
  }

  async commit(): Promise<void> {
    try {
      await giveName(this.#temporary, this.#path);
      this.#isCommitted = true;
    } catch (error) {
      throw isErrno(error, "EEXIST") ? collision(this.#path) : unusable(error, this.#path);
    }
  }

  /** Takes a file that was committed away again, because what belongs to it failed. */
  async retract(): Promise<void> {
    if (this.#isCommitted) await rm(this.#path, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
    await rm(this.#temporary, { force: true });
  }
}

/** A stream of the caller's, such as standard output. What went into it cannot be taken back. */
export class StreamOutput implements ByteOutput {
  readonly temporaryDirectory = tmpdir();
  readonly #stream: Writable;
  readonly #signal: AbortSignal;

  constructor(stream: Writable, signal: AbortSignal) {
    this.#stream = stream;
    this.#signal = signal;
  }

  /**
   * Waits until the bytes are gone, so that a slow reader slows the download down. They are copied: who reads a stream may
   * hold on to what came out of it, and whoever gave them uses their memory again.
   */
  async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    const written = new Promise<void>((resolve, reject) => {
      this.#stream.write(Uint8Array.from(bytes), (error) => (error ? reject(error) : resolve()));
    }).catch((error: unknown) => {
      throw unwritten(error);
    });
    await unlessAborted(written, this.#signal);
  }

  async commit(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** What a stream of the caller's fails with may be anything. */
function unwritten(error: unknown): unknown {
  const ours = fileSystemError(error, "write the output");
  if (ours instanceof OciUnpackError || !(error instanceof Error)) return ours;
  return new OciUnpackError("FILE_SYSTEM", `cannot write the output: ${error.message}`, { cause: error });
}

/** A link that leads nowhere is something, too. */
async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return false;
    throw error;
  }
}

function unusable(error: unknown, path: string): unknown {
  return targetError(error, `write "${path}"`, "name a file that does not exist yet, where you may write");
}

function collision(path: string): OciUnpackError {
  return new OciUnpackError("TARGET_NOT_EMPTY", `cannot write "${path}": it exists already`, {
    hint: "name a file that does not exist yet",
  });
}
