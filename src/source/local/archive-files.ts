import { fstatSync, readSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { posix } from "node:path";
import { OciUnpackError } from "../../errors.ts";
import { defaultLimits } from "../../limits.ts";
import { type ByteString, byteStringOf, textOf } from "../../tar/byte-string.ts";
import { TarDecoder } from "../../tar/decoder.ts";
import type { ByteSource, Entry } from "../../tar/entry.ts";
import { type FileRange, readRange } from "./file-range.ts";
import type { Files, StoredFile } from "./files.ts";
import { type ArchiveOptions, openPlainArchive } from "./plain-archive.ts";

/** What a name in the archive stands for. */
type Member = FileRange | { readonly link: ByteString };

/** No archive of an image has more members, and none of its links leads further. */
const mostMembers = 200_000;
const mostLinks = 40;

/**
 * The files in a tar archive, read where they lie: only their places are held in memory.
 *
 * Links are followed within the archive alone. Nothing of it is ever written anywhere.
 */
export class ArchiveFiles implements Files {
  readonly name: string;
  readonly #file: FileHandle;
  readonly #members: ReadonlyMap<ByteString, Member>;

  private constructor(name: string, file: FileHandle, members: ReadonlyMap<ByteString, Member>) {
    this.name = name;
    this.#file = file;
    this.#members = members;
  }

  /** Opens the archive at `path`, `-` for standard input. One that is compressed, or that comes through a pipe, is put into an unnamed temporary file first. */
  static async open(path: string, options: ArchiveOptions = {}): Promise<ArchiveFiles> {
    return await ArchiveFiles.in(await openPlainArchive(path, options), path === "-" ? "standard input" : path);
  }

  /** The files in an archive that is open already; it will be closed with them. */
  static async in(file: FileHandle, name: string): Promise<ArchiveFiles> {
    try {
      if ((await file.stat()).size === 0) throw new OciUnpackError("INVALID_ARCHIVE", "it is empty");
      return new ArchiveFiles(name, file, membersOf(file));
    } catch (error) {
      await file.close();
      if (!(error instanceof OciUnpackError)) throw error;
      throw new OciUnpackError(error.code, `cannot read the archive "${name}": ${error.message}`, {
        hint: error.hint ?? "it is incomplete, or no tar archive: make it anew",
        cause: error,
      });
    }
  }

  async open(name: string): Promise<StoredFile | undefined> {
    const range = this.#follow(normal(byteStringOf(name)));
    if (range === undefined) return undefined;
    return { sizeBytes: range.sizeBytes, read: (signal) => readRange(this.#file, range, this.name, signal) };
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

function membersOf(file: FileHandle): ReadonlyMap<ByteString, Member> {
  const members = new Map<ByteString, Member>();
  const source = new SeekingSource(file.fd);
  const decoder = new TarDecoder(source, { limits: defaultLimits, strict: false, warning: () => {} });
  for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) {
    const member = memberOf(entry, decoder.offset);
    if (member !== undefined) members.set(normal(entry.path), member);
    if (members.size > mostMembers) {
      throw new OciUnpackError("LIMIT_EXCEEDED", `more than ${mostMembers} members are not an image's`);
    }
  }
  return members;
}

function memberOf(entry: Entry, bodyOffset: number): Member | undefined {
  if (entry.type === "file" && entry.segments === undefined) return { offset: bodyOffset, sizeBytes: entry.sizeBytes };
  if (entry.type === "hardlink") return { link: normal(entry.linkPath) };
  if (entry.type === "symlink") {
    return { link: normal(posix.join(posix.dirname(entry.path), entry.linkPath) as ByteString) };
  }
  return undefined;
}

/** One spelling for each name: `./a//b` is `a/b`. What leads out of the archive matches nothing in it. */
function normal(name: ByteString): ByteString {
  return posix.normalize(`/${name}`).slice(1) as ByteString;
}

/** Reads a file in order, but passes over what nobody wants to see. */
class SeekingSource implements ByteSource {
  readonly #fd: number;
  readonly #sizeBytes: number;
  readonly #buffer = new Uint8Array(64 * 1024);
  #position = 0;

  constructor(fd: number) {
    this.#fd = fd;
    this.#sizeBytes = fstatSync(fd).size;
  }

  skip(count: number): number {
    // A file that grows is read beyond the size that it had.
    const skipped = Math.max(0, Math.min(count, this.#sizeBytes - this.#position));
    this.#position += skipped;
    return skipped;
  }

  read(): Uint8Array | undefined {
    const length = readSync(this.#fd, this.#buffer, 0, this.#buffer.length, this.#position);
    this.#position += length;
    return length === 0 ? undefined : this.#buffer.subarray(0, length);
  }
}
