import type { FileHandle } from "node:fs/promises";
import { unlessAborted } from "../../base/abort.ts";
import { limitExceeded, OciUnpackError } from "../../base/errors.ts";
import type { Limits } from "../../base/limits.ts";
import { fileSystemError } from "../../base/system-error.ts";
import type { BlobOptions } from "../../blob/image-source.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { algorithmOf, type Digest, encodedOf } from "../../oci/digest.ts";

/** A file of an image on this machine. */
export interface StoredFile {
  readonly sizeBytes: number;
  /** The bytes of a range, by default all. A chunk is never written to again. */
  read(signal?: AbortSignal, range?: FileRange): AsyncIterable<Uint8Array>;
}

/** The files of an image on this machine, in a directory or in an archive. */
export interface ImageFiles extends AsyncDisposable {
  /** The name of the directory or archive, for error messages. */
  readonly name: string;
  /**
   * The regular file of that name; `undefined` if there is none. Names are relative, have slashes, and never lead
   * out.
   */
  open(name: string): Promise<StoredFile | undefined>;
}

/** Opens the files, once for all callers. The signal ends only the caller's wait, not the opening. */
export type OpenFiles = (signal?: AbortSignal) => Promise<ImageFiles>;

/** How much is read at a time. */
export const readBytes = 256 * 1024;

/** A range of bytes in an open file. */
export interface FileRange {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Reads a range in pieces. Throws if the file has become shorter meanwhile. */
export async function* readRange(
  file: FileHandle,
  { offset, sizeBytes }: FileRange,
  name: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < sizeBytes; ) {
    signal?.throwIfAborted();
    // A new buffer for each piece, because the consumer may keep it. Only bytes that were read are passed on.
    const buffer = Buffer.allocUnsafeSlow(Math.min(readBytes, sizeBytes - done));
    const length = await readAt(file, buffer, offset + done, name);
    if (length === 0) {
      throw new OciUnpackError("INVALID_ARCHIVE", `cannot read "${name}": it ends ${sizeBytes - done} bytes too early`);
    }
    yield buffer.subarray(0, length);
    done += length;
  }
}

async function readAt(file: FileHandle, buffer: Uint8Array, position: number, name: string): Promise<number> {
  try {
    return (await file.read(buffer, 0, buffer.length, position)).bytesRead;
  } catch (error) {
    throw fileSystemError(error, `read "${name}"`);
  }
}

/**
 * The path of a blob in a layout (image-spec, image-layout.md). A parsed digest has no characters that could lead
 * elsewhere.
 */
export function blobPath(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${encodedOf(digest)}`;
}

/** Opens a file. Throws `NOT_FOUND` if it is not there. */
export async function requireFile(files: ImageFiles, name: string, what: string): Promise<StoredFile> {
  const file = await files.open(name);
  if (file === undefined)
    throw new OciUnpackError("NOT_FOUND", `cannot find ${what} in "${files.name}": there is no "${name}"`, {
      hint: "the image is incomplete there: copy it again",
    });
  return file;
}

/** How a document is read. */
interface DocumentOptions {
  readonly limits: Limits;
  /** Which of the limits is that of the document's size. */
  readonly limit: "manifestBytes" | "configBytes" | "signatureBytes";
  readonly signal: AbortSignal | undefined;
}

/** Reads a whole document. Throws `LIMIT_EXCEEDED` if it is larger than its limit. */
export async function readDocument(
  file: StoredFile,
  what: string,
  { limits, limit, signal }: DocumentOptions,
): Promise<Uint8Array> {
  const allowed = limits[limit];
  if (file.sizeBytes > allowed) {
    const message = `cannot read ${what}: it has ${file.sizeBytes} bytes, ${allowed} are allowed (${limit})`;
    throw limitExceeded(message, limit, { allowed });
  }
  const bytes = new Uint8Array(file.sizeBytes);
  let length = 0;
  for await (const chunk of file.read(signal)) {
    bytes.set(chunk, length);
    length += chunk.length;
  }
  return bytes;
}

/** Reads a blob, or a part of it. Throws if its file does not have the size in the descriptor. */
export async function* readBlob(
  file: StoredFile,
  descriptor: Descriptor,
  { offset = 0, length = descriptor.sizeBytes, signal }: BlobOptions,
): AsyncGenerator<Uint8Array> {
  if (file.sizeBytes !== descriptor.sizeBytes) {
    const found = `its file has ${file.sizeBytes} bytes, its descriptor says ${descriptor.sizeBytes}`;
    throw new OciUnpackError("SIZE_MISMATCH", `cannot accept blob ${descriptor.digest}: ${found}`, {
      details: { digest: descriptor.digest },
    });
  }
  yield* file.read(signal, { offset, sizeBytes: Math.max(0, Math.min(length, file.sizeBytes - offset)) });
}

/** How many names an error message has at most. */
export const mostListed = 20;

/**
 * The first names of a list, cut, for an error message: an image may have any number of them, of any length. `total` is how
 * many there are, if not all are given.
 */
export function listed(names: readonly string[], total = names.length): string {
  const first = names.slice(0, mostListed).map((name) => name.slice(0, 200));
  const others = total - first.length;
  return `${first.join(", ")}${others === 0 ? "" : ` and ${others} more`}`;
}

/** Archives that are opened once, when they are first needed, and stay open until this is disposed of. */
export class Archives implements AsyncDisposable {
  readonly #closing = new AbortController();
  readonly #opened: Promise<ImageFiles>[] = [];

  /** `open` is called when the archive is first needed. Its signal aborts when this is disposed of. */
  openedOnce(open: (signal: AbortSignal) => Promise<ImageFiles>): OpenFiles {
    let files: Promise<ImageFiles> | undefined;
    return (signal) => {
      files ??= this.#open(open);
      // A caller may stop waiting while others still want the archive.
      return unlessAborted(files, signal);
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    for (const opening of this.#opened.splice(0)) {
      const files = await opening.catch(() => undefined); // its callers have got the error
      await files?.[Symbol.asyncDispose]();
    }
  }

  #open(open: (signal: AbortSignal) => Promise<ImageFiles>): Promise<ImageFiles> {
    const files = open(this.#closing.signal);
    files.catch(() => {}); // no unhandled rejection if all callers have stopped waiting
    this.#opened.push(files);
    return files;
  }
}
