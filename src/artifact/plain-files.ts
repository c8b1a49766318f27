import { Buffer } from "node:buffer";
import {
  chmodSync,
  closeSync,
  fchmodSync,
  ftruncateSync,
  futimesSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { platform } from "node:process";
import { fileSystemError, isErrno } from "../base/system-error.ts";
import type { ContentFile } from "../blob/content-file.ts";
import type { Attributes } from "../layer/directory.ts";
import { type FindingsReporter, quoted, refusal } from "../layer/findings.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { Timestamp } from "../tar/entry.ts";
import { type Item, inOrder } from "../tree/in-order.ts";
import type { TreeDirectory, TreeFile } from "../tree/tree-file.ts";

const bufferBytes = 1024 * 1024;

/**
 * Makes what a tree says in an empty private directory, by paths. Nothing is written through a symlink, because
 * symlinks come last; and nothing twice, because everything is made anew: where names that differ are one to the file
 * system, as `README` and `readme` may be, the second is refused.
 */
export class PlainFiles {
  readonly #directory: Buffer;
  readonly #contents: ContentFile;
  readonly #reporter: FindingsReporter;
  readonly #buffer = new Uint8Array(bufferBytes);

  constructor(directory: string, contents: ContentFile, reporter: FindingsReporter) {
    this.#directory = Buffer.from(`${directory}/`);
    this.#contents = contents;
    this.#reporter = reporter;
  }

  write(root: TreeDirectory): void {
    for (const item of inOrder(root)) {
      if (item.path === "" || isSymlink(item)) continue;
      this.#make(item.path, () => (item.file === undefined ? this.#makeDirectory(item.path) : this.#makeFile(item)));
    }
    for (const item of inOrder(root)) {
      if (item.file === undefined || !isSymlink(item)) continue;
      this.#make(item.path, () => this.#makeSymlink(item.path, item.file));
    }
    const directories = [...inOrder(root)].filter((item) => item.file === undefined && item.path !== "");
    for (const { path, directory } of directories.reverse()) {
      if (directory !== undefined) this.#make(path, () => this.#settleDirectory(path, directory));
    }
  }

  #make(path: ByteString, make: () => void): void {
    if (platform === "win32" && /[\\:]/.test(path)) throw refusal(path, "a name that Windows takes for a path");
    try {
      make();
    } catch (error) {
      if (isErrno(error, "EEXIST")) throw refusal(path, "to this file system, its name is that of another");
      throw fileSystemError(error, `unpack ${quoted(path)}`);
    }
  }

  #makeDirectory(path: ByteString): void {
    mkdirSync(this.#at(path), { mode: 0o700 });
  }

  #makeFile({ path, file, firstPath }: Extract<Item, { readonly file: TreeFile }>): void {
    if (file.type !== "file") return this.#skip(path, file);
    if (firstPath !== undefined) return linkSync(this.#at(firstPath), this.#at(path));
    const descriptor = openSync(this.#at(path), "wx", 0o600);
    try {
      this.#writeData(descriptor, file);
      fchmodSync(descriptor, file.mode);
      futimesSync(descriptor, secondsOf(file.atime ?? file.mtime), secondsOf(file.mtime));
    } finally {
      closeSync(descriptor);
    }
    this.#tellXattrs(path, file);
  }

  #skip(path: ByteString, { type }: TreeFile): void {
    const reason = type === "fifo" ? "unsupported-type" : "device";
    this.#reporter.skipped(path, reason, `Node makes no ${type.replace("-", " ")}`);
  }

  #writeData(descriptor: number, { content, sizeBytes, segments }: TreeFile): void {
    let from = content;
    for (const { offset, length } of segments ?? [{ offset: 0, length: sizeBytes }]) {
      this.#writeSegment(descriptor, { from, offset, length });
      from += length;
    }
    if (segments !== undefined) ftruncateSync(descriptor, sizeBytes);
  }

  #writeSegment(descriptor: number, { from, offset, length }: Stretch): void {
    for (let done = 0; done < length; ) {
      const piece = this.#buffer.subarray(0, length - done);
      const bytes = this.#contents.read(piece, from + done);
      for (let written = 0; written < bytes; ) {
        written += writeSync(descriptor, piece, written, bytes - written, offset + done + written);
      }
      done += bytes;
    }
  }

  #makeSymlink(path: ByteString, { linkPath, mtime, atime = mtime }: TreeFile): void {
    symlinkSync(Buffer.from(linkPath, "latin1"), this.#at(path));
    lutimesSync(this.#at(path), secondsOf(atime), secondsOf(mtime));
  }

  #settleDirectory(path: ByteString, { attributes }: TreeDirectory): void {
    const { mode, mtime, atime = mtime } = attributes;
    utimesSync(this.#at(path), secondsOf(atime), secondsOf(mtime));
    chmodSync(this.#at(path), mode & 0o7777);
    this.#tellXattrs(path, attributes);
  }

  #tellXattrs(path: ByteString, { xattrs }: Pick<Attributes, "xattrs">): void {
    if (xattrs !== undefined) this.#reporter.skipped(path, "xattr-unsupported", "Node sets no extended attributes");
  }

  #at(path: ByteString): Buffer {
    return Buffer.concat([this.#directory, Buffer.from(path, "latin1")]);
  }
}

/** Bytes of the contents, from an offset on, and the offset in the file where they go. */
interface Stretch {
  readonly from: number;
  readonly offset: number;
  readonly length: number;
}

function isSymlink({ file }: Item): boolean {
  return file?.type === "symlink";
}

function secondsOf({ seconds, nanoseconds }: Timestamp): number {
  return seconds + nanoseconds / 1e9;
}
