import { constants } from "node:fs";
import { checkOwner, checkSize } from "../layer/entry-checks.ts";
import { failure } from "../layer/refusal.ts";
import { dataSegments, readSomeAt } from "../linux/content.ts";
import { closeDescriptor, openAt, readSymlinkAt } from "../linux/syscalls.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import type { ByteSource, Entry, Segment } from "../tar/entry.ts";
import type { RootfsContext } from "./context.ts";
import type { DiskDestination, FoundFile } from "./disk-directory.ts";
import type { FileMaker } from "./file-maker.ts";

/** Makes a copy where a hard link cannot be had: the same to look at, until somebody writes to one of the two. */
export function copyTo(
  destination: DiskDestination,
  { handle, name, stat, isBelow }: FoundFile,
  context: RootfsContext,
  files: FileMaker,
): void {
  const { path } = destination;
  if (isBelow)
    context.findings.noted("LINK_COPIED", "a hard link to a file of a lower layer is a copy in an overlay", path);
  else context.findings.repaired("LINK_COPIED", "a hard link cannot be made here and is a copy", path);
  const xattrs = context.xattrs.readAt(handle, name);
  const entry = {
    ...stat,
    ...context.owners.statedAt(handle, name, stat),
    path,
    typeFlag: "",
    linkPath: noPath,
    offset: 0,
    ...(xattrs.size > 0 && { xattrs }),
  };
  checkOwner(entry);
  if (stat.type === "file")
    copyFile(destination, openOriginal(handle, name, path), { ...entry, type: "file" }, context, files);
  else if (stat.type === "symlink")
    files.symlink(destination, { ...entry, type: "symlink", linkPath: targetOf(handle, name, path) });
  else if (stat.type === "fifo") files.fifo(destination, { ...entry, type: "fifo" });
  else if (stat.type !== "directory" && stat.type !== "socket")
    files.device(destination, { ...entry, type: stat.type });
}

const noPath = byteStringOf("");

function targetOf(handle: number, name: ByteString, path: ByteString): ByteString {
  const target = readSymlinkAt(handle, name);
  if (typeof target === "number") throw failure("copy", path, "readlinkat", target);
  return target;
}

function openOriginal(handle: number, name: ByteString, path: ByteString): number {
  const original = openAt(handle, name, constants.O_RDONLY | constants.O_NOFOLLOW);
  if (original < 0) throw failure("copy", path, "openat(O_RDONLY)", original);
  return original;
}

function copyFile(
  destination: DiskDestination,
  original: number,
  entry: Entry,
  context: RootfsContext,
  files: FileMaker,
): void {
  try {
    const segments = dataSegments(original, entry.sizeBytes);
    if (typeof segments === "number") throw failure("copy", destination.path, "lseek(SEEK_DATA)", segments);
    for (const { length } of segments) context.copiedBytes.spend(length, destination.path);
    checkSize({ ...entry, segments }, context.settings.limits);
    files.file(destination, { ...entry, segments }, new Segments(original, segments, destination.path));
  } finally {
    closeDescriptor(original);
  }
}

/** The data of a file with holes, in order. */
class Segments implements ByteSource {
  readonly #file: number;
  readonly #path: ByteString;
  readonly #rest: Segment[];
  readonly #buffer = new Uint8Array(256 * 1024);

  constructor(file: number, segments: readonly Segment[], path: ByteString) {
    this.#file = file;
    this.#path = path;
    this.#rest = segments.toReversed();
  }

  read(): Uint8Array | undefined {
    const segment = this.#rest.pop();
    if (segment === undefined) return undefined;
    const wanted = this.#buffer.subarray(0, Math.min(segment.length, this.#buffer.length));
    const bytes = readSomeAt(this.#file, wanted, segment.offset);
    if (bytes <= 0) throw failure("copy", this.#path, "pread", bytes);
    if (bytes < segment.length) this.#rest.push({ offset: segment.offset + bytes, length: segment.length - bytes });
    return wanted.subarray(0, bytes);
  }
}
