import { errnos } from "../linux/errno.ts";
import type { Result } from "../linux/libc.ts";
import { closeDescriptor, findDirectoryBeneath, openDirectoryBeneath, replaceDescriptor } from "../linux/syscalls.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import type { DiskDirectory } from "./disk-directory.ts";
import { failure } from "./failure.ts";

/**
 * How many directories are held open where the process may open so many. Archives go through a tree in order, so that
 * few are needed at a time.
 */
const usuallyHeld = 256;

/**
 * So many names are looked up at a time, where handles are not scarce: the end of each stretch of a long path stays
 * open.
 */
const stretch = 32;

/** What the kernel takes as one path, with room for a NUL. */
const pathBytes = 4000;

const self = byteStringOf(".");

/**
 * Open handles of directories, opened when they are needed and closed when others are.
 *
 * A directory is opened relative to the nearest one above it that is open, through no symlink and across no mount
 * point: what is reached is what `Directory` says, or nothing.
 *
 * Most only tell where names are made and looked up (`O_PATH`): few directories are read, and most have their mode and
 * no extended attributes from the beginning.
 */
export class Handles {
  readonly #root: DiskDirectory;
  readonly #held: DiskDirectory[] = [];
  /**
   * Where the search for one that may be closed goes on: a clock, whose hand spares what was used since it last came
   * by.
   */
  #hand = 0;
  #lastUsed: DiskDirectory;
  #heldAtMost = usuallyHeld;

  /** `descriptor` is an open handle of the root; it is the caller's to close. */
  constructor(root: DiskDirectory, descriptor: number) {
    root.own.descriptor = descriptor;
    root.own.isOpened = true;
    this.#root = root;
    this.#lastUsed = root;
  }

  /** A handle to make and look up names at. It stays open at least until two others have been asked for. */
  of(directory: DiskDirectory): number {
    if (directory.own.descriptor < 0) this.#find(directory);
    directory.own.isRecentlyUsed = true;
    this.#lastUsed = directory;
    return directory.own.descriptor;
  }

  /** The same handle, made one to read the directory's entries and to change its attributes by. */
  opened(directory: DiskDirectory): number {
    const handle = this.of(directory);
    if (directory.own.isOpened) return handle;
    const opened = this.#withRoom(directory, () => openDirectoryBeneath(handle, self));
    replaceDescriptor(handle, opened);
    directory.own.isOpened = true;
    return handle;
  }

  /** Whether the process may open so few that some had to be closed. */
  get areScarce(): boolean {
    return this.#heldAtMost < usuallyHeld;
  }

  /** Closes a directory's handle, if it has one. */
  release(directory: DiskDirectory): void {
    if (directory.own.descriptor < 0 || directory === this.#root) return;
    forget(directory);
    const last = this.#held.pop();
    if (last !== undefined && last !== directory) this.#held[this.#held.indexOf(directory)] = last;
  }

  /**
   * Closes half of the handles, for good, because the process may open no more; false where that would be of no use.
   */
  makeRoom(): boolean {
    const half = this.#held.length >> 1;
    if (half === 0) return false;
    for (let closed = 0; closed < half; closed += 1) this.#closeOne();
    this.#heldAtMost = Math.max(2, this.#held.length);
    return true;
  }

  /** Closes all handles but the root's. */
  close(): void {
    for (const directory of this.#held) forget(directory);
    this.#held.length = 0;
  }

  #find(directory: DiskDirectory): void {
    const above = this.areScarce ? undefined : ancestorOf(directory, stretch);
    // Whoever goes through a deep tree from its leaves up would look up the whole path again for each directory.
    if (above !== undefined) this.#find(above);
    if (this.#held.length >= this.#heldAtMost) this.#closeOne();
    directory.own.descriptor = this.#withRoom(directory, () => findFromAbove(directory));
    this.#held.push(directory);
  }

  #withRoom(directory: DiskDirectory, open: () => Result): number {
    let result = open();
    if (result === -errnos.EMFILE && this.makeRoom()) result = open();
    if (result >= 0) return result;
    throw failure("open", directory.path, "openat2(RESOLVE_BENEATH|RESOLVE_NO_SYMLINKS)", result);
  }

  /** Never the one that was asked for last: whoever works with two has not done with it. */
  #closeOne(): void {
    for (;;) {
      this.#hand = (this.#hand + 1) % this.#held.length;
      const candidate = this.#held[this.#hand];
      if (candidate === undefined || candidate === this.#lastUsed) continue;
      if (!candidate.own.isRecentlyUsed) return this.release(candidate);
      candidate.own.isRecentlyUsed = false;
    }
  }
}

/** The directory so many names above, unless there is none, or it or one before it is open. */
function ancestorOf(directory: DiskDirectory, names: number): DiskDirectory | undefined {
  let ancestor: DiskDirectory | undefined = directory;
  for (let above = 0; above < names && ancestor !== undefined; above += 1) {
    ancestor = ancestor.parent;
    if (ancestor !== undefined && ancestor.own.descriptor >= 0) return undefined;
  }
  return ancestor;
}

function forget(directory: DiskDirectory): void {
  closeDescriptor(directory.own.descriptor);
  directory.own.descriptor = -1;
  directory.own.isOpened = false;
}

/**
 * Finds a directory from the nearest one above it that is open, however long the path, in pieces that the kernel takes.
 */
function findFromAbove(directory: DiskDirectory): Result {
  const names: ByteString[] = [];
  let ancestor = directory;
  for (; ancestor.own.descriptor < 0 && ancestor.parent !== undefined; ancestor = ancestor.parent) {
    names.push(ancestor.name);
  }
  let current = ancestor.own.descriptor;
  for (const piece of pieces(names.reverse())) {
    const next = findDirectoryBeneath(current, piece);
    if (current !== ancestor.own.descriptor) closeDescriptor(current);
    if (next < 0) return next;
    current = next;
  }
  return current;
}

function* pieces(names: readonly ByteString[]): Iterable<ByteString> {
  let piece = "";
  for (const name of names) {
    if (piece.length + name.length > pathBytes) {
      yield piece as ByteString;
      piece = "";
    }
    piece = piece === "" ? name : `${piece}/${name}`;
  }
  yield piece as ByteString;
}
