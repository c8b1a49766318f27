import { changeMode, changeModeAt } from "../linux/attributes.ts";
import { rewindEntries, takeEntries } from "../linux/directory-entries.ts";
import { errnos } from "../linux/errno.ts";
import type { Result } from "../linux/libc.ts";
import { openDirectoryBeneath, removeDirectoryAt, unlinkAt } from "../linux/syscalls.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import { Descent } from "./descent.ts";
import { failure } from "./failure.ts";

const dot = byteStringOf(".");

/** Removes a directory and all that is in it. Nothing is followed: neither symlinks nor mount points. */
export function removeTree(directory: number, name: ByteString): void {
  using removal = new Removal(directory);
  removal.remove(name);
}

/** Removes all that is in an open directory, and leaves the directory. */
export function removeChildren(directory: number): void {
  rewindEntries(directory);
  for (const name of unlinkFiles(directory, dot)) removeTree(directory, name);
}

/** A directory on the way down. */
interface Level {
  readonly name: ByteString;
  /** Directories that are still in it. */
  remaining: ByteString[];
}

/** One removal, depth first, without recursion. */
class Removal implements Disposable {
  readonly #descent: Descent;
  readonly #levels: Level[] = [];

  constructor(top: number) {
    this.#descent = new Descent(top, (call, result) =>
      failure("remove", this.#levels.at(-1)?.name ?? dot, call, result),
    );
  }

  remove(name: ByteString): void {
    this.#enter(name);
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      const next = level.remaining.pop();
      if (next !== undefined) this.#enter(next);
      else if (!this.#isLeft(level)) level.remaining = this.#readAgain(level.name);
    }
  }

  [Symbol.dispose](): void {
    this.#descent[Symbol.dispose]();
  }

  #enter(name: ByteString): void {
    const { descriptor } = this.#descent;
    const handle = openToRemove(descriptor, name);
    // Nobody need read an empty directory, which may be another user's.
    if (handle === -errnos.EACCES && removeDirectoryAt(descriptor, name) >= 0) return;
    this.#descent.enter(existing(handle, name, "openat2(RESOLVE_NO_XDEV|RESOLVE_NO_SYMLINKS)"));
    this.#levels.push({ name, remaining: unlinkFiles(handle, name) });
  }

  #readAgain(name: ByteString): ByteString[] {
    const { descriptor } = this.#descent;
    rewindEntries(descriptor);
    return unlinkFiles(descriptor, name);
  }

  /** Removes a level that is empty; false where it is not. */
  #isLeft({ name }: Level): boolean {
    const directory = this.#descent.above();
    const result = withRights(directory, () => removeDirectoryAt(directory, name));
    if (result === -errnos.ENOTEMPTY) return false;
    existing(result, name, "unlinkat(AT_REMOVEDIR)");
    this.#descent.leave();
    this.#levels.pop();
    return true;
  }
}

/** Unlinks what is no directory and gives what is, from where the directory was read to. */
function unlinkFiles(directory: number, path: ByteString): ByteString[] {
  const remaining: ByteString[] = [];
  const result = takeEntries(directory, (name, isDirectory) => {
    if (isDirectory || !isUnlinked(directory, name)) remaining.push(name);
  });
  existing(result, path, "getdents64");
  return remaining;
}

/** Opens a directory that is to be emptied; the owner may have taken the right to do so from itself. */
function openToRemove(directory: number, name: ByteString): number | Result {
  let result = openDirectoryBeneath(directory, name);
  if (result === -errnos.EACCES) {
    changeModeAt(directory, name, 0o700);
    result = openDirectoryBeneath(directory, name);
  }
  return result;
}

/** Unlinks what is no directory; false where it is one. */
function isUnlinked(directory: number, name: ByteString): boolean {
  let result = unlinkAt(directory, name);
  if (result === -errnos.EACCES) result = withRights(directory, () => unlinkAt(directory, name));
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

function existing<Value>(result: Value | Result, name: ByteString, call: string): Value {
  if (typeof result === "number" && result < 0) throw failure("remove", name, call, result);
  return result as Value;
}
