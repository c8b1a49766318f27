import type { Memory } from "../base/memory-budget.ts";
import { FollowedLinks } from "../layer/counted-limits.ts";
import { type Attributes, Directory, never } from "../layer/directory.ts";
import type { LayerTree, Obstacle } from "../layer/walk.ts";
import { errnos } from "../linux/errno.ts";
import type { Result } from "../linux/libc.ts";
import { statAt } from "../linux/stat.ts";
import { readSymlinkAt } from "../linux/syscalls.ts";
import { type ByteString, ownCopy } from "../tar/byte-string.ts";
import {
  bytesBelow,
  bytesOfDirectory,
  bytesOfHidden,
  type DiskDirectory,
  DiskState,
  type FoundFile,
  type LowerDirectory,
  type LowerNode,
  type OnDisk,
} from "./disk-directory.ts";
import { failure } from "./failure.ts";
import type { HandedFiles } from "./handed-files.ts";
import type { Handles } from "./handles.ts";

const otherFile: Obstacle = {};

/**
 * The directories of the root filesystem, and how a path leads to one: as it would for a process for which this root
 * is all there is. Absolute symlinks begin at the root, and nothing is above it.
 *
 * The directories are known; symlinks are read from the disk where a path meets one. No path that an image chose is
 * ever given to the kernel as a whole.
 */
export class DiskTree implements LayerTree<DiskDirectory> {
  readonly root: DiskDirectory;
  readonly handles: Handles;
  readonly followed = new FollowedLinks();
  readonly #memory: Memory;

  readonly #handed: HandedFiles | undefined;

  constructor(root: DiskDirectory, handles: Handles, memory: Memory, handed?: HandedFiles) {
    this.root = root;
    this.handles = handles;
    this.#memory = memory;
    this.#handed = handed;
  }

  /** The directory at a name, also where only layers below have one. */
  directoryAt(parent: DiskDirectory, name: ByteString): DiskDirectory | undefined {
    const child = parent.child(name);
    if (child !== undefined || parent.own.lower === undefined) return child;
    const below = this.below(parent, name);
    return below?.directory === undefined ? undefined : this.#adopted(parent, name, below.directory);
  }

  /** The same: nothing is unknown here. */
  knownDirectoryAt(parent: DiskDirectory, name: ByteString): DiskDirectory | undefined {
    return this.directoryAt(parent, name);
  }

  /** What is no directory at a name: found by reading it as a symlink. */
  obstacleAt(parent: DiskDirectory, name: ByteString, path: ByteString): Obstacle | undefined {
    const target = this.#targetAt(parent, name);
    if (typeof target === "string") return { linkPath: target };
    if (target === -errnos.EINVAL) return otherFile;
    if (target === -errnos.ENOENT) return undefined;
    throw failure("unpack", path, "readlinkat", target);
  }

  /** Where the symlink at a name leads; a negated errno where there is none: `EINVAL` for any other file. */
  #targetAt(parent: DiskDirectory, name: ByteString): ByteString | Result {
    this.#handed?.settleAt(parent, name);
    const target = parent.own.isMade ? readSymlinkAt(this.handles.of(parent), name) : -errnos.ENOENT;
    if (target !== -errnos.ENOENT) return target;
    const below = this.below(parent, name);
    if (below === undefined) return target;
    return below.directory === undefined ? readSymlinkAt(below.handle, name) : -errnos.EINVAL;
  }

  /** What is no directory at a name, and the directory on disk that it stands in. */
  fileAt(parent: DiskDirectory, name: ByteString, path: ByteString): FoundFile | undefined {
    this.#handed?.settleAt(parent, name);
    if (parent.own.isMade) {
      const handle = this.handles.of(parent);
      const stat = statAt(handle, name);
      if (typeof stat !== "number") return { handle, name, stat, isBelow: false };
      if (stat !== -errnos.ENOENT) throw failure("examine", path, "statx", stat);
    }
    const below = this.below(parent, name);
    if (below === undefined || below.directory !== undefined) return undefined;
    return { handle: below.handle, name, stat: below.stat, isBelow: true };
  }

  /** What layers below show at a name, where this tree has nothing there and does not hide it. */
  below(parent: DiskDirectory, name: ByteString): LowerNode | undefined {
    if (parent.own.lower === undefined || parent.own.hidden?.has(name) === true) return undefined;
    if (parent.own.isMade && typeof statAt(this.handles.of(parent), name) !== "number") return undefined;
    return parent.own.lower.find(name);
  }

  /** Takes note of a directory that was just made. */
  add(parent: DiskDirectory, name: ByteString, layer: number, attributes: Attributes, mode: number): DiskDirectory {
    const position = { parent, name: ownCopy(name) };
    const directory = new Directory<OnDisk>(position, { layer, attributes, own: new DiskState(mode) });
    this.#memory.spend(bytesOfDirectory(directory), "directories");
    parent.set(directory.name, directory);
    return directory;
  }

  /** Hides what the layers below have at a name, be it there or not. */
  hide(directory: DiskDirectory, name: ByteString): void {
    if (directory.own.lower === undefined || directory.own.hidden?.has(name) === true) return;
    this.#memory.spend(bytesOfHidden(name), "hidden names");
    directory.own.hidden ??= new Set();
    directory.own.hidden.add(ownCopy(name));
  }

  /** Cuts a directory off from the layers below: it has nothing of theirs, and nothing of theirs to hide. */
  cutOff(directory: DiskDirectory): void {
    this.#memory.release(bytesBelow(directory));
    directory.own.lower = undefined;
    directory.own.hidden = undefined;
  }

  /** Forgets a directory that is about to be removed, with everything below it. */
  forget(directory: DiskDirectory): void {
    directory.parent?.delete(directory.name);
    const removed = [directory];
    for (let each = removed.pop(); each !== undefined; each = removed.pop()) {
      this.handles.release(each);
      for (const child of each.directories()) removed.push(child);
      this.#memory.release(bytesOfDirectory(each));
      each.beRemoved();
      each.own.clear();
    }
  }

  /** A directory of the layers below, as one of this tree. It is not made before it is needed. */
  #adopted(parent: DiskDirectory, name: ByteString, lower: LowerDirectory): DiskDirectory {
    const { mode, uid, gid, mtime, atime } = lower.stat;
    const directory = this.add(parent, name, never, { mode, uid, gid, mtime, atime }, (mode & 0o777) | 0o700);
    directory.own.lower = lower;
    directory.own.isMade = false;
    this.#memory.spend(bytesBelow(directory), "directories of lower layers");
    return directory;
  }
}
