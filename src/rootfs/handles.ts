import { errnos } from "../linux/errno.ts";
import type { Result } from "../linux/libc.ts";
import { closeDescriptor, openDirectoryBeneath } from "../linux/syscalls.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { Directory } from "./directory.ts";
import { failure } from "./refusal.ts";

/** How many directories are held open where the process may open so many. Archives go through a tree in order, so that few are needed at a time. */
const usuallyHeld = 256;

/** What the kernel takes as one path, with room for a NUL. */
const pathBytes = 4000;

/**
 * Open handles of directories, opened when they are needed and closed when others are.
 *
 * A directory is opened relative to the nearest one above it that is open, through no symlink and across no mount point:
 * what is reached is what `Directory` says, or nothing.
 */
export class Handles {
  readonly #root: Directory;
  readonly #held: Directory[] = [];
  /** Where the search for one that may be closed goes on: a clock, whose hand spares what was used since it last came by. */
  #hand = 0;
  #lastUsed: Directory;
  #heldAtMost = usuallyHeld;

  /** `descriptor` is an open handle of the root; it is the caller's to close. */
  constructor(root: Directory, descriptor: number) {
    root.descriptor = descriptor;
    this.#root = root;
    this.#lastUsed = root;
  }

  /** The handle of a directory. It stays open at least until two others have been asked for. */
  of(directory: Directory): number {
    if (directory.descriptor < 0) this.#open(directory);
    directory.isRecentlyUsed = true;
    this.#lastUsed = directory;
    return directory.descriptor;
  }

  /** Closes a directory's handle, if it has one. */
  release(directory: Directory): void {
    if (directory.descriptor < 0 || directory === this.#root) return;
    closeDescriptor(directory.descriptor);
    directory.descriptor = -1;
    const last = this.#held.pop();
    if (last !== undefined && last !== directory) this.#held[this.#held.indexOf(directory)] = last;
  }

  /** Closes half of the handles, for good, because the process may open no more; false where that would be of no use. */
  makeRoom(): boolean {
    const half = this.#held.length >> 1;
    if (half === 0) return false;
    for (let closed = 0; closed < half; closed += 1) this.#closeOne();
    this.#heldAtMost = Math.max(2, this.#held.length);
    return true;
  }

  /** Closes all handles but the root's. */
  close(): void {
    for (const { descriptor } of this.#held) closeDescriptor(descriptor);
    for (const directory of this.#held) directory.descriptor = -1;
    this.#held.length = 0;
  }

  #open(directory: Directory): void {
    if (this.#held.length >= this.#heldAtMost) this.#closeOne();
    let result = openBelow(directory);
    if (result === -errnos.EMFILE && this.makeRoom()) result = openBelow(directory);
    if (result < 0) throw failure("open", directory.path, "openat2(RESOLVE_BENEATH|RESOLVE_NO_SYMLINKS)", result);
    directory.descriptor = result;
    this.#held.push(directory);
  }

  /** Never the one that was asked for last: whoever works with two has not done with it. */
  #closeOne(): void {
    for (;;) {
      this.#hand = (this.#hand + 1) % this.#held.length;
      const candidate = this.#held[this.#hand];
      if (candidate === undefined || candidate === this.#lastUsed) continue;
      if (!candidate.isRecentlyUsed) return this.release(candidate);
      candidate.isRecentlyUsed = false;
    }
  }
}

/** Opens a directory from the nearest one above it that is open, however long the way, in pieces that the kernel takes. */
function openBelow(directory: Directory): Result {
  const names: ByteString[] = [];
  let ancestor = directory;
  for (; ancestor.descriptor < 0 && ancestor.parent !== undefined; ancestor = ancestor.parent) {
    names.push(ancestor.name);
  }
  let current = ancestor.descriptor;
  for (const piece of pieces(names.reverse())) {
    const next = openDirectoryBeneath(current, piece);
    if (current !== ancestor.descriptor) closeDescriptor(current);
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
