import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { pipeline } from "node:stream/promises";
import { compressionOf } from "../../blob/compression.ts";
import { openTemporaryFile } from "../../blob/temporary-file.ts";
import { ZstdEnding } from "../../blob/zstd-ending.ts";
import { OciUnpackError } from "../../errors.ts";
import { fileSystemError } from "../../file-system-error.ts";
import type { LayerCompression } from "../../oci/media-type.ts";
import { unlessAborted } from "../../unless-aborted.ts";
import { Failure } from "../failure.ts";

/** The longest magic number of a compression. */
const magicBytes = 4;

/** What an archive comes by. */
export interface ArchiveOptions {
  /** What `-` stands for. Default: descriptor 0, which must not be open for anything else. */
  readonly standardInput?: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}

/** The archive at `path`, `-` for standard input, as a file that can be read at any offset and is not compressed. */
export async function openPlainArchive(path: string, options: ArchiveOptions): Promise<FileHandle> {
  const { standardInput, signal } = options;
  if (path === "-") {
    const stream = standardInput ?? createReadStream("", { fd: 0, autoClose: false });
    return await plainCopy(stream, "standard input", signal);
  }
  const file = await openFile(path);
  let isOurs = false;
  try {
    isOurs = await isPlain(file, path);
    return isOurs ? file : await plainCopy(file.createReadStream({ autoClose: false }), path, signal);
  } finally {
    if (!isOurs) await file.close();
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (error) {
    const isAbsent = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (isAbsent) {
      throw new OciUnpackError("NOT_FOUND", `cannot open the archive "${path}": there is no such file`, {
        hint: "check the path, and from where it starts",
      });
    }
    throw fileSystemError(error, `open the archive "${path}"`);
  }
}

/** Whether the file can be read in place: it is one, and not compressed. */
async function isPlain(file: FileHandle, path: string): Promise<boolean> {
  const status = await file.stat();
  if (status.isDirectory()) {
    throw new OciUnpackError("INVALID_ARCHIVE", `cannot read the archive "${path}": it is a directory`, {
      hint: "oci: reads an OCI layout, dir: what skopeo wrote",
    });
  }
  if (!status.isFile()) return false;
  const head = new Uint8Array(4);
  const { bytesRead } = await file.read(head, 0, head.length, 0);
  return compressionIn(head.subarray(0, bytesRead), path) === "none";
}

function compressionIn(head: Uint8Array, name: string): LayerCompression {
  try {
    return compressionOf(head);
  } catch (error) {
    if (!(error instanceof OciUnpackError)) throw error;
    throw new OciUnpackError(error.code, `cannot read the archive "${name}": ${error.message}`, {
      hint: "decompress it first, or compress it with gzip or zstd",
      cause: error,
    });
  }
}

/** Puts what comes through a pipe, decompressed if need be, into an unnamed file that is gone when it is closed. */
export async function plainCopy(
  stream: AsyncIterable<Uint8Array>,
  name: string,
  signal?: AbortSignal,
): Promise<FileHandle> {
  const file = await openTemporaryFile(tmpdir());
  const chunks = stream[Symbol.asyncIterator]();
  try {
    const next = async () => (await unlessAborted(chunks.next(), signal)).value as Uint8Array | undefined;
    const head = await beginning(next);
    const compression = compressionIn(head, name);
    const ending = compression === "zstd" ? new ZstdEnding() : undefined;
    const whole = async function* () {
      for (let chunk: Uint8Array | undefined = head; chunk !== undefined; chunk = await next()) {
        ending?.update(chunk);
        yield chunk;
      }
      if (ending?.isWhole === false) throw new Error("the zstd data ends too early");
    };
    const { streamDecompressor } = await import("./stream-decompressor.ts");
    const decompressor = streamDecompressor(compression);
    const target = async (plain: AsyncIterable<Uint8Array>) => {
      for await (const chunk of plain) await keep(file, chunk);
    };
    const options = signal === undefined ? {} : { signal };
    await (decompressor ? pipeline(whole, decompressor, target, options) : pipeline(whole, target, options));
    return file;
  } catch (error) {
    await file.close();
    chunks.return?.().catch(() => {}); // not waited for: it may wait for bytes that never come
    signal?.throwIfAborted();
    if (error instanceof Failure) throw error; // whoever sends it tells what went wrong
    const ours = fileSystemError(error, `read "${name}"`);
    if (ours instanceof OciUnpackError || !(error instanceof Error)) throw ours;
    throw new OciUnpackError("INVALID_ARCHIVE", `cannot decompress "${name}": ${error.message}`, { cause: error });
  }
}

/** Enough to tell a compression by, if there is as much: a pipe may bring a byte at a time. */
async function beginning(next: () => Promise<Uint8Array | undefined>): Promise<Uint8Array> {
  let bytes: Uint8Array = new Uint8Array(0);
  while (bytes.length < magicBytes) {
    const chunk = await next();
    if (chunk === undefined) break;
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
  }
  return bytes;
}

async function keep(file: FileHandle, chunk: Uint8Array): Promise<void> {
  try {
    await file.writeFile(chunk);
  } catch (error) {
    throw fileSystemError(error, `write a temporary file in "${tmpdir()}"`);
  }
}
