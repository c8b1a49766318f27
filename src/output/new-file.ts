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

/** Takes the bytes of a file or an archive. */
export interface ByteOutput extends AsyncDisposable {
  /** Where temporary files may be made. */
  readonly temporaryDirectory: string;
  /** Writes bytes, which the caller may change when the promise is resolved. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes the output appear, complete. Disposing of one that was not committed leaves nothing behind. */
  commit(): Promise<void>;
}

/** A new file, which appears when it is complete. It never replaces another file. */
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

  /** The path of the file until it is complete, for programs that write it themselves. */
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

  /** Removes the file if it was committed, because something else that belongs to it failed. */
  async retract(): Promise<void> {
    if (this.#isCommitted) await rm(this.#path, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
    await rm(this.#temporary, { force: true });
  }
}

/** A stream that the caller gave, such as standard output. What was written to it cannot be undone. */
export class StreamOutput implements ByteOutput {
  readonly temporaryDirectory = tmpdir();
  readonly #stream: Writable;
  readonly #signal: AbortSignal;
  #hasFailed = false;

  constructor(stream: Writable, signal: AbortSignal) {
    this.#stream = stream;
    this.#signal = signal;
    stream.on("error", tolerated);
  }

  /**
   * Waits until the stream has taken the bytes, so that a slow reader slows the download down. The stream gets a copy,
   * because the caller uses the memory again while readers of the stream may keep theirs.
   */
  async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    await unlessAborted(this.#written(Uint8Array.from(bytes)), this.#signal);
  }

  /** Of a write that has begun nothing is heard when the stream is destroyed, as a response is whose reader is gone. */
  async #written(bytes: Uint8Array): Promise<void> {
    const stream = this.#stream;
    let closed = () => {};
    try {
      await new Promise<void>((resolve, reject) => {
        closed = () => reject(stream.errored ?? new Error("the stream was closed before it had taken all"));
        stream.once("close", closed);
        stream.write(bytes, (error) => (error ? reject(error) : resolve()));
      });
    } catch (error) {
      this.#hasFailed = true;
      throw unwritten(error);
    } finally {
      stream.off("close", closed);
    }
  }

  async commit(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasFailed) this.#stream.off("error", tolerated);
  }
}

/** Hears the event with the error that a failed write told already: without a listener it would end the process. */
function tolerated(): void {}

/** The error for a stream that failed, with whatever error. */
function unwritten(error: unknown): unknown {
  const ours = fileSystemError(error, "write the output");
  if (ours instanceof OciUnpackError || !(error instanceof Error)) return ours;
  return new OciUnpackError("FILE_SYSTEM", `cannot write the output: ${error.message}`, { cause: error });
}

/** Whether there is something at a path. A symlink that leads nowhere counts. */
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
