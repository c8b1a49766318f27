import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { isOciUnpackError, OciUnpackError } from "../../base/errors.ts";
import { fileSystemError, isErrno } from "../../base/system-error.ts";
import { compressionOf, tellingBytes } from "../../blob/compressed-input.ts";
import { openTemporaryFile } from "../../blob/temporary-file.ts";
import { RequestFailure } from "../../http/request-failure.ts";
import { type ByteString, byteStringOf, textOf } from "../../tar/byte-string.ts";
import { type ArchiveOptions, archiveIndex } from "./archive-index.ts";
import { type ArchiveMember, normalName } from "./archive-members.ts";
import { type FileRange, type ImageFiles, readBytes, readRange, type StoredFile } from "./image-files.ts";
import { openPipe } from "./named-pipe.ts";

/** How many links are followed. An image has no longer chain of links. */
const mostLinks = 40;

/**
 * The files in a tar archive. They are read from the archive when they are needed; only their offsets are in memory.
 *
 * Links are only followed within the archive. No file of it is ever written anywhere.
 */
export class ArchiveFiles implements ImageFiles {
  readonly name: string;
  readonly #file: FileHandle;
  readonly #members: ReadonlyMap<ByteString, ArchiveMember>;
  /** Opened files by their offsets: several names may be the same file. */
  readonly #opened = new Map<number, StoredFile>();

  private constructor(name: string, file: FileHandle, members: ReadonlyMap<ByteString, ArchiveMember>) {
    this.name = name;
    this.#file = file;
    this.#members = members;
  }

  /**
   * Opens the archive at `path`. `-` is `standardInput`, or descriptor 0 if that is not given; nothing else may read
   * from it. If the archive is compressed or comes through a pipe, it is first written to an unnamed temporary file.
   */
  static async open(
    path: string,
    options: ArchiveOptions,
    standardInput?: AsyncIterable<Uint8Array>,
  ): Promise<ArchiveFiles> {
    if (path === "-") {
      const stream = standardInput ?? createReadStream("", { fd: 0, autoClose: false });
      return await ArchiveFiles.from(stream, "standard input", options);
    }
    const pipe = await opened(path, () => openPipe(path));
    if (pipe !== undefined) {
      try {
        return await ArchiveFiles.from(pipe, path, options);
      } finally {
        pipe.destroy();
      }
    }
    const { file, isPlain } = await openArchiveFile(path);
    if (isPlain) return await ArchiveFiles.#in(file, undefined, path, options);
    try {
      const stream = file.createReadStream({ autoClose: false, highWaterMark: readBytes });
      return await ArchiveFiles.from(stream, path, options);
    } finally {
      await file.close();
    }
  }

  /** Opens an archive that comes as a stream. Error messages call it `name`. */
  static async from(stream: AsyncIterable<Uint8Array>, name: string, options: ArchiveOptions): Promise<ArchiveFiles> {
    return await ArchiveFiles.#in(await openTemporaryFile(tmpdir()), stream, name, options);
  }

  /** Opens the archive in `file`, which is closed with it. With `input`, that is written to the file first. */
  static async #in(
    file: FileHandle,
    input: AsyncIterable<Uint8Array> | undefined,
    name: string,
    options: ArchiveOptions,
  ): Promise<ArchiveFiles> {
    try {
      return new ArchiveFiles(name, file, await archiveIndex(file, input, options));
    } catch (error) {
      await file.close();
      throw unreadable(name, error);
    }
  }

  async open(name: string): Promise<StoredFile | undefined> {
    const member = this.#follow(normalName(byteStringOf(name)));
    if (member === undefined) return undefined;
    const before = this.#opened.get(member.offset);
    if (before !== undefined) return before;
    const opened: StoredFile = {
      sizeBytes: member.sizeBytes,
      read: (signal, { offset, sizeBytes } = { offset: 0, sizeBytes: member.sizeBytes }) =>
        readRange(this.#file, { offset: member.offset + offset, sizeBytes }, this.name, signal),
    };
    this.#opened.set(member.offset, opened);
    return opened;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  #follow(name: ByteString): FileRange | undefined {
    let member = this.#members.get(name);
    for (let links = 0; member !== undefined && "link" in member; links += 1) {
      if (links === mostLinks) {
        throw new OciUnpackError(
          "INVALID_ARCHIVE",
          `cannot find "${textOf(name)}" in "${this.name}": its links lead in circles`,
        );
      }
      member = this.#members.get(member.link);
    }
    return member;
  }
}

const decompressing = "cannot decompress: ";

function saidOf(name: string, message: string): string {
  return message.startsWith(decompressing)
    ? `cannot decompress "${name}": ${message.slice(decompressing.length)}`
    : `cannot read the archive "${name}": ${message}`;
}

/**
 * Turns an error of the thread that reads the archive into one that names the archive. Other errors are not changed.
 */
function unreadable(name: string, error: unknown): unknown {
  if (error instanceof RequestFailure) return error; // the error is about the stream that it came from
  if (!(error instanceof OciUnpackError)) return fileSystemError(error, `read "${name}"`);
  const found = (code: typeof error.code, hint: string) =>
    new OciUnpackError(code, saidOf(name, error.message), { hint, details: error.details, cause: error });
  switch (error.code) {
    case "CORRUPT_LAYER":
    case "INVALID_ARCHIVE":
      return found("INVALID_ARCHIVE", error.hint ?? "it is incomplete, or not a tar archive: make it again");
    case "UNSUPPORTED_MEDIA_TYPE":
      return found(error.code, "decompress it first, or compress it with gzip or zstd");
    case "LIMIT_EXCEEDED":
      return found(error.code, error.hint ?? "raise the limit if you trust the image");
    default:
      return error;
  }
}

/** Opens the file of an archive. `isPlain` says whether it can be read in place: a regular file, not compressed. */
async function openArchiveFile(path: string): Promise<{ readonly file: FileHandle; readonly isPlain: boolean }> {
  const file = await opened(path, () => open(path, "r"));
  try {
    return { file, isPlain: await isPlain(file, path) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function opened<T>(path: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (isErrno(error, "ENOENT")) {
      throw new OciUnpackError("NOT_FOUND", `cannot open the archive "${path}": there is no such file`, {
        hint: "check the path, and the directory that it is relative to",
      });
    }
    throw fileSystemError(error, `open the archive "${path}"`);
  }
}

async function isPlain(file: FileHandle, path: string): Promise<boolean> {
  const status = await file.stat();
  if (status.isDirectory()) {
    throw new OciUnpackError("INVALID_ARCHIVE", `cannot read the archive "${path}": it is a directory`, {
      hint: "oci: reads an OCI layout, dir: what skopeo wrote",
    });
  }
  if (!status.isFile()) return false;
  const head = new Uint8Array(tellingBytes);
  const { bytesRead } = await file.read(head, 0, head.length, 0);
  try {
    return compressionOf(head.subarray(0, bytesRead)) === "none";
  } catch (error) {
    // An unknown compression: the error is reported when it is decompressed.
    if (isOciUnpackError(error, "UNSUPPORTED_MEDIA_TYPE")) return false;
    throw error;
  }
}
