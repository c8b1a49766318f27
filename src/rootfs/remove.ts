import { failure } from "../layer/refusal.ts";
import { changeMode, changeModeAt } from "../linux/attributes.ts";
import { type DirectoryEntry, readEntries, rewindEntries } from "../linux/directory-entries.ts";
import { errnos } from "../linux/errno.ts";
import type { Result } from "../linux/libc.ts";
import { type Stat, statOf } from "../linux/stat.ts";
import {
  closeDescriptor,
  openDirectoryAt,
  openDirectoryBeneath,
  removeDirectoryAt,
  unlinkAt,
} from "../linux/syscalls.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";

/** How many levels of a tree are held open. Deeper trees are climbed back by `..`, which is checked. */
const heldLevels = 64;

const parent = byteStringOf("..");

/** Removes a directory and all that is in it. Nothing is followed: neither symlinks nor mount points. */
export function removeTree(directory: number, name: ByteString): void {
  new Removal(directory).remove(name);
}

/** Removes all that is in an open directory, and leaves the directory. */
export function removeChildren(directory: number): void {
  const level: Level = { name: byteStringOf("."), descriptor: directory, identity: undefined, remaining: [] };
  unlinkFiles(level);
  for (const name of level.remaining) removeTree(directory, name);
}

/** A directory on the way down. */
interface Level {
  readonly name: ByteString;
  /** -1 while it is not held. */
  descriptor: number;
  /** What it must be when it is come back to; known when it was let go. */
  identity: Stat["identity"] | undefined;
  /** Directories that are still in it. */
  readonly remaining: ByteString[];
}

/**
 * One removal, depth first, without recursion.
 *
 * A tree may be deeper than handles may be open. The handles of far ancestors are closed then; the way back is `..`,
 * and whoever moved a directory meanwhile finds that it is not the one that was left.
 */
class Removal {
  readonly #top: number;
  readonly #levels: Level[] = [];

  constructor(top: number) {
    this.#top = top;
  }

  remove(name: ByteString): void {
    try {
      this.#enter(name);
      for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
        const next = level.remaining.pop();
        if (next !== undefined) this.#enter(next);
        else if (!this.#isLeft(level)) unlinkFiles(level);
      }
    } finally {
      for (const { descriptor } of this.#levels) if (descriptor >= 0) closeDescriptor(descriptor);
    }
  }

  #enter(name: ByteString): void {
    const descriptor = openToRemove(this.#levels.at(-1)?.descriptor ?? this.#top, name);
    this.#levels.push({ name, descriptor, identity: undefined, remaining: [] });
    const far = this.#levels.at(-1 - heldLevels);
    if (far === undefined || far.descriptor < 0) return;
    far.identity = existing(statOf(far.descriptor), name, "statx").identity;
    closeDescriptor(far.descriptor);
    far.descriptor = -1;
  }

  /** Removes a level that is empty; false where it is not. */
  #isLeft(level: Level): boolean {
    const above = this.#levels.at(-2);
    if (above !== undefined && above.descriptor < 0) this.#reopen(above, level);
    const directory = above?.descriptor ?? this.#top;
    const result = withRights(directory, () => removeDirectoryAt(directory, level.name));
    if (result === -errnos.ENOTEMPTY) return false;
    existing(result, level.name, "unlinkat(AT_REMOVEDIR)");
    closeDescriptor(level.descriptor);
    this.#levels.pop();
    return true;
  }

  #reopen(level: Level, below: Level): void {
    level.descriptor = existing(openDirectoryAt(below.descriptor, parent), level.name, "openat");
    if (existing(statOf(level.descriptor), level.name, "statx").identity !== level.identity) {
      throw failure("remove", level.name, 'openat("..")', -errnos.EXDEV);
    }
  }
}

/** Unlinks what is no directory and notes what is. */
function unlinkFiles(level: Level): void {
  rewindEntries(level.descriptor);
  for (const { name, isDirectory } of allEntries(level.descriptor, level.name)) {
    if (isDirectory || !isUnlinked(level.descriptor, name)) level.remaining.push(name);
  }
}

/** Opens a directory that is to be emptied; the owner may have taken the right to do so from itself. */
function openToRemove(directory: number, name: ByteString): number {
  let result = openDirectoryBeneath(directory, name);
  if (result === -errnos.EACCES) {
    changeModeAt(directory, name, 0o700);
    result = openDirectoryBeneath(directory, name);
  }
  return existing(result, name, "openat2(RESOLVE_NO_XDEV|RESOLVE_NO_SYMLINKS)");
}

/** Unlinks what is no directory; false where it is one. */
function isUnlinked(directory: number, name: ByteString): boolean {
  const result = withRights(directory, () => unlinkAt(directory, name));
  if (result === -errnos.EISDIR) return false;
  if (result !== -errnos.ENOENT) existing(result, name, "unlinkat");
  return true;
}

/** Removes a name. The owner may have taken the right to do so from itself. */
function withRights(directory: number, remove: () => Result): Result {
  const result = remove();
  if (result !== -errnos.EACCES) return result;
  changeMode(directory, 0o700);
  return remove();
}

function* allEntries(directory: number, name: ByteString): Iterable<DirectoryEntry> {
  for (;;) {
    const entries = existing(readEntries(directory), name, "getdents64");
    if (entries.length === 0) return;
    yield* entries;
  }
}

function existing<Value>(result: Value | Result, name: ByteString, call: string): Value {
  if (typeof result === "number" && result < 0) throw failure("remove", name, call, result);
  return result as Value;
}
