import { createHash } from "node:crypto";
import { isOciUnpackError } from "../base/errors.ts";
import { Spool } from "../blob/spool.ts";
import type { SpoolStorage } from "../blob/spool-storage.ts";
import type { FileData } from "./file-data.ts";

/** Takes bytes, one chunk after the other. A chunk is never written to again. */
export type Take = (bytes: Uint8Array) => Promise<void>;

/** Reads the data of a file out of the middle of a layer. */
type ReadData = (data: FileData, take: Take) => Promise<void>;

/**
 * A layer is not what its index says. Never reaches a caller of this library: nothing has been given out, and the layer
 * is read as if it had no index.
 */
export class IndexContradicted extends Error {
  constructor(cause?: unknown) {
    super("a layer is not what its index says", { cause });
    this.name = "IndexContradicted";
  }
}

/** The most bytes of a file in memory before they are known to be right. The others wait in an unnamed file. */
const mostInMemory = 4 * 1024 * 1024;

/** How many zeros are given out at a time. */
const zeros = new Uint8Array(256 * 1024);

/**
 * Reads the data of a file, and gives them to `take` when they are all there and have their digest: until then nobody
 * knows whether they are the image's.
 *
 * Throws `IndexContradicted` if they are not what the index says.
 */
export async function giveProven(
  data: FileData,
  sizeBytes: number,
  { read, take, room }: { readonly read: ReadData; readonly take: Take; readonly room: SpoolStorage },
): Promise<void> {
  const spool = new Spool({ storage: room, memoryBytes: mostInMemory, isHeld: true });
  const hash = createHash("sha256");
  try {
    await read(data, async (bytes) => {
      hash.update(bytes);
      await spool.write(bytes);
    });
  } catch (error) {
    throw isAboutBytes(error) ? new IndexContradicted(error) : error;
  }
  if (hash.digest("hex") !== data.digest) throw new IndexContradicted();
  await spool.end();
  for await (const bytes of withHoles(data, sizeBytes, spool.reading())) await take(bytes);
}

function isAboutBytes(error: unknown): boolean {
  return isOciUnpackError(
    error,
    "CORRUPT_LAYER",
    "DIFF_ID_MISMATCH",
    "DIGEST_MISMATCH",
    "INVALID_ARCHIVE",
    "SIZE_MISMATCH",
    "STRICT_VIOLATION",
    "UNSUPPORTED_MEDIA_TYPE",
  );
}

/** The data of a file with zeros for its holes. */
async function* withHoles(
  { segments, length }: FileData,
  sizeBytes: number,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  const ahead = (segments ?? [{ offset: 0, length }]).toReversed();
  for await (const chunk of chunks) {
    for (let rest = chunk; rest.length > 0; ) {
      const next = ahead.at(-1);
      if (next === undefined) break;
      yield* zerosOf(next.offset - at);
      at = Math.max(at, next.offset);
      const part = rest.subarray(0, next.offset + next.length - at);
      yield part;
      at += part.length;
      rest = rest.subarray(part.length);
      if (at === next.offset + next.length) ahead.pop();
    }
  }
  yield* zerosOf(sizeBytes - at);
}

function* zerosOf(count: number): Iterable<Uint8Array> {
  for (let rest = count; rest > 0; rest -= zeros.length) yield zeros.subarray(0, rest);
}
