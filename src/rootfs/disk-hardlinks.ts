import { constants } from "node:fs";
import type { HardlinkBackEnd, LinkHeader } from "../layer/back-end.ts";
import { Directory } from "../layer/directory.ts";
import { checkOwner, checkSize } from "../layer/entry-checks.ts";
import { pseudoLinkDirectory } from "../layer/whiteouts.ts";
import { dataSegments, readSomeAt } from "../linux/content.ts";
import { errnos } from "../linux/errno.ts";
import { closeDescriptor, makeDirectoryAt, makeLinkAt, openAt, readSymlinkAt, renameAt } from "../linux/syscalls.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import type { ByteSource, Entry, Segment } from "../tar/entry.ts";
import type { RootfsContext } from "./context.ts";
import { type DiskDestination, type DiskDirectory, DiskState, type FoundFile, type OnDisk } from "./disk-directory.ts";
import { failure } from "./failure.ts";
import type { FileMaker } from "./file-maker.ts";
import type { NodeMaker } from "./node-maker.ts";
import { removeTree } from "./remove-tree.ts";

/**
 * What stops link(2) for reasons that a copy does not share: other file systems, too many links, protected_hardlinks.
 */
const copyable = [errnos.EXDEV, errnos.EMLINK, errnos.EPERM, errnos.ENOTSUP, errnos.ENOSYS];

const temporaryName = byteStringOf(".wh..wh.link");

/** The hard links of one layer, on a disk. */
export class DiskHardlinks implements HardlinkBackEnd<OnDisk> {
  readonly #context: RootfsContext;
  readonly #nodes: NodeMaker;
  readonly #files: FileMaker;

  constructor(context: RootfsContext, nodes: NodeMaker, files: FileMaker) {
    this.#context = context;
    this.#nodes = nodes;
    this.#files = files;
  }

  fileAt(directory: DiskDirectory, name: ByteString, { parent, path }: DiskDestination): FoundFile | undefined {
    // Now, because a handle that was asked for stays open only while few others are.
    this.#nodes.establish(parent);
    return this.#context.tree.fileAt(directory, name, path);
  }

  isAsStated({ stat }: FoundFile, stated: LinkHeader): boolean {
    return stat.mode === (stated.mode & 0o7777) && this.#context.owners.isGiven(stated, stat);
  }

  link(destination: DiskDestination, original: FoundFile): void {
    // The target may lie in the directory that it is to replace.
    if (destination.parent.child(destination.name) === undefined) return this.#makeAt(destination, original);
    const { handles } = this.#context.tree;
    this.#makeAt({ ...destination, name: temporaryName }, original);
    this.#nodes.remove(destination);
    const handle = handles.of(destination.parent);
    const result = renameAt(handle, temporaryName, handle, destination.name);
    if (result < 0) throw failure("create", destination.path, "renameat", result);
    this.#nodes.made.delete(destination.parent, temporaryName);
    this.#nodes.made.add(destination.parent, destination.name);
  }

  claim(destination: DiskDestination, original: FoundFile): void {
    if (original.isBelow) copyTo(destination, original, this.#context, this.#files);
    else this.#nodes.made.add(destination.parent, destination.name);
  }

  /** No entry can have its name, so that it can be in the root itself. */
  makePseudoLinks(): DiskDirectory {
    const { implied, tree } = this.#context;
    const result = makeDirectoryAt(tree.handles.of(tree.root), pseudoLinkDirectory, 0o700);
    if (result < 0) throw failure("create", pseudoLinkDirectory, "mkdirat", result);
    const position = { parent: tree.root, name: pseudoLinkDirectory };
    return new Directory<OnDisk>(position, { layer: 0, attributes: implied, own: new DiskState(0o700) });
  }

  removePseudoLinks(directory: DiskDirectory): void {
    const { handles, root } = this.#context.tree;
    this.#context.handed?.settle();
    handles.release(directory);
    removeTree(handles.of(root), pseudoLinkDirectory);
  }

  #makeAt(destination: DiskDestination, original: FoundFile): void {
    // A layer of an overlay stands by itself: what it shares with another would be lost with that one.
    if (original.isBelow) return copyTo(destination, original, this.#context, this.#files);
    let obstacle = 0;
    this.#nodes.make(destination, "linkat", (handle, newName) => {
      const result = makeLinkAt(original.handle, original.name, handle, newName);
      obstacle = copyable.includes(-result) ? -result : 0;
      return obstacle === 0 ? result : 0;
    });
    if (obstacle !== 0) copyTo(destination, original, this.#context, this.#files);
  }
}

/** Makes a copy where a hard link cannot be had: the same to look at, until somebody writes to one of the two. */
function copyTo(
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
