import { Buffer } from "node:buffer";
import type { CompressedInput } from "../blob/compressed-input.ts";
import { type ByteSpace, copyAll } from "../blob/decompressed-output.ts";
import type { FileSystemTraits } from "../rootfs/file-system-probe.ts";
import type { HandedFinding } from "../rootfs/handed-files.ts";
import { type ByteString, byteString, byteStringOf } from "../tar/byte-string.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import { readInto, readWords, writeWords } from "../worker/ahead-messages.ts";
import type { PackedError } from "../worker/messages.ts";

/*
 * What the applying thread and one that makes files say to each other, through two rings:
 *
 *   to the thread    what becomes of new files (three words); then, again and again,
 *                    a directory: head, path; or a file in it: head, name, path, data
 *   from the thread  for each file, in their order: 0 if it was made as stated; or 1, a length (a word), and JSON
 *
 * A head is 64 bytes:
 *
 *   0 kind │ 4 bytes of the name │ 8 of the path │ 12 mode │ 16 uid │ 20 gid │ 24 mtime, ns │ 28 atime, ns │   Uint32
 *   32 size │ 40 mtime, s │ 48 atime, s                                                                    │   Float64
 *   56 whether there is an atime                                                                           │   Uint32
 */
const headBytes = 64;
const DIRECTORY = 1;
const FILE = 2;

/** A head with a name and a path: the applying thread hands on no longer ones. */
const messageBytes = headBytes + 8192;

/** What has become of a file. */
export const MADE = 0;
export const TOLD = 1;

/** What is to be told of a file that is not as stated. */
export interface ToldOutcome {
  readonly findings: readonly HandedFinding[];
  readonly error?: PackedError;
}

export function writeTraits({ uid, gid, keepsModes }: FileSystemTraits, output: ByteSpace): void {
  writeWords([uid, gid, keepsModes ? 1 : 0], output);
}

/** The traits, as far as who makes a file at a free name needs to know them. */
export function readTraits(input: CompressedInput): FileSystemTraits {
  const [uid = 0, gid = 0, keepsModes] = readWords(input, 3);
  return { uid, gid, keepsModes: keepsModes === 1, foldsNames: false };
}

/** Writes the heads of messages, in memory that is used again. */
export class ContentWriter {
  readonly #bytes = Buffer.alloc(messageBytes);
  readonly #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, messageBytes);

  directory(path: ByteString, output: ByteSpace): void {
    this.#write(DIRECTORY, noName, path, output);
  }

  /** The file's data have to follow. */
  file(name: ByteString, entry: Entry, output: ByteSpace): void {
    const view = this.#view;
    const { mode, uid, gid, sizeBytes, mtime, atime } = entry;
    view.setUint32(12, mode);
    view.setUint32(16, uid);
    view.setUint32(20, gid);
    view.setUint32(24, mtime.nanoseconds);
    view.setUint32(28, atime?.nanoseconds ?? 0);
    view.setFloat64(32, sizeBytes);
    view.setFloat64(40, mtime.seconds);
    view.setFloat64(48, atime?.seconds ?? 0);
    view.setUint32(56, atime === undefined ? 0 : 1);
    this.#write(FILE, name, entry.path, output);
  }

  #write(kind: number, name: ByteString, path: ByteString, output: ByteSpace): void {
    const view = this.#view;
    view.setUint32(0, kind);
    view.setUint32(4, name.length);
    view.setUint32(8, path.length);
    this.#bytes.write(name, headBytes, "latin1");
    this.#bytes.write(path, headBytes + name.length, "latin1");
    copyAll(this.#bytes.subarray(0, headBytes + name.length + path.length), output);
  }
}

/** What comes next: a directory to go to, or a file in it, whose data follow. */
export type ContentMessage =
  | { readonly type: "directory"; readonly path: ByteString }
  | { readonly type: "file"; readonly name: ByteString; readonly entry: Entry };

/** Reads messages, in memory that is used again. */
export class ContentReader {
  readonly #input: CompressedInput;
  readonly #bytes = new Uint8Array(messageBytes);
  readonly #view = new DataView(this.#bytes.buffer);

  constructor(input: CompressedInput) {
    this.#input = input;
  }

  /** The next message; `undefined` where there are no more. */
  next(): ContentMessage | undefined {
    if (this.#input.peek() === undefined) return undefined;
    const view = this.#view;
    readInto(this.#input, this.#bytes.subarray(0, headBytes));
    const [nameEnd, pathBytes] = [headBytes + view.getUint32(4), view.getUint32(8)];
    readInto(this.#input, this.#bytes.subarray(headBytes, nameEnd + pathBytes));
    const path = byteString(this.#bytes, nameEnd, nameEnd + pathBytes);
    if (view.getUint32(0) === DIRECTORY) return { type: "directory", path };
    return { type: "file", name: byteString(this.#bytes, headBytes, nameEnd), entry: this.#entry(path) };
  }

  #entry(path: ByteString): Entry {
    const view = this.#view;
    const hasAtime = view.getUint32(56) === 1;
    return {
      type: "file",
      typeFlag: "0",
      path,
      linkPath: noName,
      mode: view.getUint32(12),
      uid: view.getUint32(16),
      gid: view.getUint32(20),
      sizeBytes: view.getFloat64(32),
      mtime: { seconds: view.getFloat64(40), nanoseconds: view.getUint32(24) },
      ...(hasAtime && { atime: { seconds: view.getFloat64(48), nanoseconds: view.getUint32(28) } }),
      deviceMajor: 0,
      deviceMinor: 0,
      offset: 0,
    };
  }
}

const noName = byteStringOf("");

/** The data of a file that comes through a ring. */
export class ContentBody implements ByteSource {
  readonly #input: CompressedInput;
  #restBytes: number;
  #shownBytes = 0;

  constructor(input: CompressedInput, sizeBytes: number) {
    this.#input = input;
    this.#restBytes = sizeBytes;
  }

  read(): Uint8Array | undefined {
    this.#input.take(this.#shownBytes);
    this.#restBytes -= this.#shownBytes;
    const bytes = this.#restBytes > 0 ? this.#input.peek()?.subarray(0, this.#restBytes) : undefined;
    this.#shownBytes = bytes?.length ?? 0;
    return bytes;
  }
}

export function writeOutcome(told: ToldOutcome | undefined, output: ByteSpace): void {
  if (told === undefined) return copyAll(Uint8Array.of(MADE), output);
  const json = Buffer.from(JSON.stringify(told));
  copyAll(Uint8Array.of(TOLD), output);
  writeWords([json.length], output);
  copyAll(json, output);
}

/** Reads what follows `TOLD`. */
export function readTold(input: CompressedInput): ToldOutcome {
  const [length = 0] = readWords(input, 1);
  const json = Buffer.alloc(length);
  readInto(input, json);
  return JSON.parse(json.toString());
}
