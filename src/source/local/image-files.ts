import type { FileHandle } from "node:fs/promises";
import { unlessAborted } from "../../base/abort.ts";
import { limitExceeded, OciUnpackError } from "../../base/errors.ts";
import type { Limits } from "../../base/limits.ts";
import { fileSystemError } from "../../base/system-error.ts";
import { type BlobOptions, skippingBytes } from "../../blob/image-source.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { algorithmOf, type Digest, encodedOf } from "../../oci/digest.ts";
/** A file of an image that lies on this machine. */
export interface StoredFile {
  readonly sizeBytes: number;
  /** The bytes from the first to the last. A chunk is never written to again. */
  read(signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** The files of an image that lies on this machine, in a directory or in an archive. */
export interface ImageFiles extends AsyncDisposable {
  /** For messages. */
  readonly name: string;
  /**
   * The regular file of that name, `undefined` where there is none. Names are relative, with slashes, and never lead
   * out.
   */
  open(name: string): Promise<StoredFile | undefined>;
}

/**
 * Gives the files when they are open. A signal ends one's own waiting, not the opening that others may wait for too.
 */
export type OpenFiles = (signal?: AbortSignal) => Promise<ImageFiles>;

/** How much is read at a time. */
export const readBytes = 256 * 1024;

/** A run of bytes in an open file. */
export interface FileRange {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Reads a range in pieces. A file that turns out to be shorter is an error: somebody cut it meanwhile. */
export async function* readRange(
  file: FileHandle,
  { offset, sizeBytes }: FileRange,
  name: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < sizeBytes; ) {
    signal?.throwIfAborted();
    // A new one for each piece, which whoever reads may keep; nothing of what was in that memory is ever given out.
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
 * Where a layout keeps a blob (image-spec, image-layout.md). A parsed digest has no characters that could lead
 * elsewhere.
 */
export function blobPath(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${encodedOf(digest)}`;
}

/** The file of that name, which must be there. */
export async function requireFile(files: ImageFiles, name: string, what: string): Promise<StoredFile> {
  const file = await files.open(name);
  if (file === undefined)
    throw new OciUnpackError("NOT_FOUND", `cannot find ${what} in "${files.name}": there is no "${name}"`, {
      hint: "the image is incomplete there: copy it anew",
    });
  return file;
}

/** How a document is read. */
interface DocumentOptions {
  readonly limits: Limits;
  /** Which of the limits is that of the document's size. */
  readonly limit: "manifestBytes" | "configBytes";
  readonly signal: AbortSignal | undefined;
}

/** A whole document, refused above its limit. */
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

/** The bytes of a blob whose file must have the size that its descriptor states. */
export async function* readBlob(
  file: StoredFile,
  descriptor: Descriptor,
  { offset = 0, signal }: BlobOptions,
): AsyncGenerator<Uint8Array> {
  if (file.sizeBytes !== descriptor.sizeBytes) {
    const found = `its file has ${file.sizeBytes} bytes, its descriptor says ${descriptor.sizeBytes}`;
    throw new OciUnpackError("SIZE_MISMATCH", `cannot accept blob ${descriptor.digest}: ${found}`, {
      details: { digest: descriptor.digest },
    });
  }
  yield* skippingBytes(offset, file.read(signal));
}

/** Some of the names that a message offers to choose from; an image may have given any number, of any length. */
export function listed(names: readonly string[]): string {
  return names
    .slice(0, 20)
    .map((name) => name.slice(0, 200))
    .join(", ");
}

/** Archives that are opened when their first byte is needed, once, and that stay open until this is disposed of. */
export class Archives implements AsyncDisposable {
  readonly #closing = new AbortController();
  readonly #opened: Promise<ImageFiles>[] = [];

  /** `open` is called once, if at all; its signal ends it when this is disposed of. */
  openedOnce(open: (signal: AbortSignal) => Promise<ImageFiles>): OpenFiles {
    let files: Promise<ImageFiles> | undefined;
    return (signal) => {
      files ??= this.#open(open);
      // Who waits may give up; another one may still want the same archive.
      return unlessAborted(files, signal);
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    for (const opening of this.#opened.splice(0)) {
      const files = await opening.catch(() => undefined); // whoever waited for it was told
      await files?.[Symbol.asyncDispose]();
    }
  }

  #open(open: (signal: AbortSignal) => Promise<ImageFiles>): Promise<ImageFiles> {
    const files = open(this.#closing.signal);
    files.catch(() => {}); // it is nobody's unhandled rejection where all who waited have given up
    this.#opened.push(files);
    return files;
  }
}
