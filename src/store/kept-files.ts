import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { constants, copyFile, type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { together } from "../base/abort.ts";
import { openIfThere } from "../base/if-there.ts";
import type { ExportForm } from "../base/option-words.ts";
import { writeAll } from "../blob/temporary-file.ts";
import { contentCalls } from "../system/file-content.ts";
import type { Segment } from "../tar/entry.ts";
import type { KeptRecord } from "./kept-results.ts";

/** How something that was kept in a store was given out: as a file that shares its blocks, or as a copy. */
export type GivenOut = "reflink" | "copied";

/** What a file's content was when it was kept. */
interface Content {
  readonly sizeBytes: number;
  /**
   * `sha256:` and the SHA-256 of what there is of each MiB that is not all zeros: its number, in 8 bytes, and its
   * SHA-256. So a hole costs nothing to digest, and what is a hole in one file system may be zeros in another.
   */
  readonly contentDigest: string;
}

/** A file of a result that is kept. */
export interface KeptFile extends Content {
  /** Its name in the directory of the result. */
  readonly name: string;
}

/** What is recorded of an output that is kept: a file system, or an archive. */
export interface OutputRecord extends KeptRecord {
  readonly form: ExportForm;
  /** The files that it consists of. */
  readonly files: readonly KeptFile[];
}

/** How much is read, digested and written at a time. */
const chunkBytes = 1024 * 1024;

/** How many chunks there are in memory: while one is digested, others are read and written. */
const chunksAtOnce = 3;

/**
 * Makes a file of a result that is to be kept: one that shares the blocks of the file at `path`, or a copy. It is safe
 * from a crash then. Throws errors of Node, as all functions here do.
 */
export async function keepFile(
  path: string,
  { directory, name }: { readonly directory: string; readonly name: string },
  signal: AbortSignal,
): Promise<KeptFile> {
  const keptPath = join(directory, name);
  const isShared = await reflink(path, keptPath).then(
    () => true,
    () => false,
  );
  await using kept = await open(keptPath, isShared ? "r" : "wx+", 0o600);
  await using from = await open(path, "r");
  const content = await (isShared ? contentOf(kept, signal) : copyContent(from, kept, signal));
  await finishFile(kept);
  return { name, ...content };
}

/** The same for a file that was written in its place. */
export async function keepOpenFile(kept: FileHandle, name: string, signal: AbortSignal): Promise<KeptFile> {
  const content = await contentOf(kept, signal);
  await finishFile(kept);
  return { name, ...content };
}

async function finishFile(kept: FileHandle): Promise<void> {
  await kept.sync();
  await kept.chmod(0o444);
}

/**
 * Makes a new file that shares the blocks of another one. Throws where the file systems cannot. Not `shareContent`: a
 * file that has just been written goes to the disk first, and nobody else may wait for that.
 */
export function reflink(path: string, newPath: string): Promise<void> {
  return copyFile(path, newPath, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
}

/**
 * Gives a kept file's content to the file at `path`, which is empty: by sharing its blocks, or as a copy that was
 * verified while it was made. Where the kept file is not as it was, `undefined` is returned, and what was copied is
 * worth nothing.
 *
 * Bytes are read and written, not copied by the kernel (`copy_file_range`), which does not let anybody see what it
 * copies: reading a copy back takes as long. For 700 MB in a tmpfs, at best of three rounds on a busy machine, 1.08 s of
 * processor time this way, and 1.24 that way (Node 20).
 */
export async function giveOutFile(
  file: KeptFile,
  directory: string,
  path: string,
  signal: AbortSignal,
): Promise<GivenOut | undefined> {
  await using kept = await openOfSize(file, directory);
  if (kept === undefined) return undefined;
  await using to = await open(path, "r+");
  const { isShared } = await contentCalls();
  if (isShared(to.fd, kept.fd)) return "reflink";
  const { contentDigest } = await copyContent(kept, to, signal);
  return contentDigest === file.contentDigest ? "copied" : undefined;
}

/** Opens a kept file and verifies it; `undefined` where it is not as it was. */
export async function openKeptFile(
  file: KeptFile,
  directory: string,
  signal: AbortSignal | undefined,
): Promise<FileHandle | undefined> {
  const kept = await openOfSize(file, directory);
  try {
    if (kept === undefined || (await contentOf(kept, signal)).contentDigest === file.contentDigest) return kept;
  } catch (error) {
    await kept?.close();
    throw error;
  }
  await kept.close();
  return undefined;
}

/** Whether a kept file is as it was. */
export async function isKeptFileIntact(
  file: KeptFile,
  directory: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const kept = await openKeptFile(file, directory, signal);
  await kept?.close();
  return kept !== undefined;
}

async function openOfSize({ name, sizeBytes }: KeptFile, directory: string): Promise<FileHandle | undefined> {
  const kept = await openIfThere(join(directory, name));
  if (kept === undefined || (await kept.stat()).size === sizeBytes) return kept;
  await kept.close();
  return undefined;
}

/** Reads and digests the content of a file. */
function contentOf(file: FileHandle, signal: AbortSignal | undefined): Promise<Content> {
  return eachChunk(file, signal, async () => {});
}

/** Copies the content of a file to an empty one, and digests what it copies. Zeros become holes. */
async function copyContent(from: FileHandle, to: FileHandle, signal: AbortSignal | undefined): Promise<Content> {
  const content = await eachChunk(from, signal, (chunk, position) => writeAll(to, chunk, position));
  await to.truncate(content.sizeBytes);
  return content;
}

type Take = (chunk: Uint8Array, position: number) => Promise<void>;

/** Passes on each chunk of a file that is not all zeros, several at a time, and digests them. */
async function eachChunk(file: FileHandle, signal: AbortSignal | undefined, take: Take): Promise<Content> {
  const { size: sizeBytes } = await file.stat();
  const digests = new Map<number, Uint8Array>();
  const { dataSegments } = await contentCalls();
  const numbers = chunksWithData(dataSegments(file.fd, sizeBytes), sizeBytes);
  const passOn = async (stop: AbortSignal) => {
    const buffer = Buffer.allocUnsafeSlow(chunkBytes);
    for (const number of numbers) {
      stop.throwIfAborted();
      const chunk = await readChunk(file, buffer, number * chunkBytes);
      if (chunk.equals(zeros.subarray(0, chunk.length))) continue;
      const taken = take(chunk, number * chunkBytes);
      digests.set(number, createHash("sha256").update(chunk).digest());
      await taken;
    }
  };
  await together(
    signal,
    Array.from({ length: chunksAtOnce }, () => passOn),
  );
  return { sizeBytes, contentDigest: digestOfChunks(digests) };
}

const zeros = Buffer.alloc(chunkBytes);

/** The numbers of the chunks that have anything but holes. Where nobody knows of holes, these are all. */
function* chunksWithData(segments: readonly Segment[] | undefined, sizeBytes: number): Generator<number> {
  let next = 0;
  for (const { offset, length } of segments ?? [{ offset: 0, length: sizeBytes }]) {
    next = Math.max(next, Math.floor(offset / chunkBytes));
    for (; next * chunkBytes < offset + length; next += 1) yield next;
  }
}

async function readChunk(file: FileHandle, buffer: Buffer, position: number): Promise<Buffer> {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, position + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

function digestOfChunks(digests: ReadonlyMap<number, Uint8Array>): string {
  const whole = createHash("sha256");
  const number = Buffer.alloc(8);
  for (const [chunk, digest] of [...digests].sort(([one], [other]) => one - other)) {
    number.writeBigUInt64LE(BigInt(chunk));
    whole.update(number).update(digest);
  }
  return `sha256:${whole.digest("hex")}`;
}
