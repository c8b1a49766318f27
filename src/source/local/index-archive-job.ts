import { fstatSync, readSync, writeSync } from "node:fs";
import { OciUnpackError } from "../../base/errors.ts";
import type { Limits } from "../../base/limits.ts";
import type { SandboxPolicy } from "../../base/option-words.ts";
import { fileSystemError } from "../../base/system-error.ts";
import { CompressedInput } from "../../blob/compressed-input.ts";
import { decompress } from "../../blob/decompressed.ts";
import { type ByteSpace, DecompressedOutput } from "../../blob/decompressed-output.ts";
import { GzipChecksum } from "../../blob/gzip.ts";
import { confineFromFiles } from "../../system/sandbox.ts";
import type { ByteSource } from "../../tar/entry.ts";
import { RingReader, type SharedRing } from "../../worker/ring.ts";
import { tell } from "../../worker/serve.ts";
import { archiveMembers, type NamedMember } from "./archive-members.ts";

/** The job of the thread for archives: to list the members of an archive. */
export interface IndexJob {
  readonly type: "index";
  /** The descriptor of the archive's file. */
  readonly file: number;
  /** What has to be decompressed and written to the file first. Absent: the file has the archive already. */
  readonly input?: SharedRing;
  /** The directory of the file, for error messages. */
  readonly directory: string;
  readonly sandbox: SandboxPolicy;
  readonly limits: Limits;
}

/** The messages of this job, besides those of every thread. */
export type IndexReport =
  /** Some of an archive's members, in order. */
  { readonly type: "members"; readonly members: readonly NamedMember[] };

/** How many members one message has. */
const membersAtATime = 1000;

/**
 * Lists the members of an archive, after writing the decompressed `input` to its file, if there is one. It opens no
 * file.
 */
export function indexArchive({ file, input, directory, sandbox, limits }: IndexJob): void {
  tell({ type: "confined", status: confineFromFiles(sandbox) });
  if (input !== undefined) {
    makePlain(new RingReader(input, () => tell({ type: "space" })), new FileSpace(file, directory), limits);
  }
  let batch: NamedMember[] = [];
  for (const member of archiveMembers(new SeekingSource(file), limits)) {
    if (batch.push(member) < membersAtATime) continue;
    tell<IndexReport>({ type: "members", members: batch });
    batch = [];
  }
  tell<IndexReport>({ type: "members", members: batch });
}

/**
 * Decompresses `source` into `space`, within the limits of a layer. gzip's checksums are verified, because there is no
 * digest.
 */
function makePlain(source: ByteSource, space: FileSpace, limits: Limits): void {
  const input = new CompressedInput(source);
  const checksum = new GzipChecksum();
  const output = new DecompressedOutput(space, {
    limits,
    readBytes: () => input.takenBytes,
    onBytes: (bytes) => checksum.update(bytes),
  });
  const { zstdWindowLog, trailingBytes } = limits;
  decompress(input, output, {
    expected: undefined,
    strict: false,
    zstdWindowLog,
    trailingBytes,
    checksum,
    warning() {},
  });
  space.flush();
}

/** Reads a file in order and can skip parts of it. */
class SeekingSource implements ByteSource {
  readonly #file: number;
  readonly #sizeBytes: number;
  readonly #buffer = new Uint8Array(64 * 1024);
  #position = 0;

  constructor(file: number) {
    this.#file = file;
    this.#sizeBytes = fstatSync(file).size;
    if (this.#sizeBytes === 0) throw new OciUnpackError("INVALID_ARCHIVE", "it is empty");
  }

  skip(count: number): number {
    // If the file grows, what is beyond its former size is read and not skipped.
    const skipped = Math.max(0, Math.min(count, this.#sizeBytes - this.#position));
    this.#position += skipped;
    return skipped;
  }

  read(): Uint8Array | undefined {
    const length = readSync(this.#file, this.#buffer, 0, this.#buffer.length, this.#position);
    this.#position += length;
    return length === 0 ? undefined : this.#buffer.subarray(0, length);
  }
}

const bufferBytes = 1024 * 1024;

/** Writes bytes to a file whose descriptor another thread opened. */
class FileSpace implements ByteSpace {
  readonly #file: number;
  readonly #directory: string;
  readonly #buffer = new Uint8Array(bufferBytes);
  #usedBytes = 0;

  /** `directory` is that of the file, for error messages. */
  constructor(file: number, directory: string) {
    this.#file = file;
    this.#directory = directory;
  }

  space(): Uint8Array {
    return this.#buffer.subarray(this.#usedBytes);
  }

  commit(length: number): void {
    this.#usedBytes += length;
    if (this.#usedBytes === this.#buffer.length) this.flush();
  }

  /** It has to be called after the last `commit`. */
  flush(): void {
    try {
      for (let written = 0; written < this.#usedBytes; ) {
        written += writeSync(this.#file, this.#buffer, written, this.#usedBytes - written);
      }
    } catch (error) {
      throw fileSystemError(error, `write a temporary file in "${this.#directory}"`);
    }
    this.#usedBytes = 0;
  }
}
