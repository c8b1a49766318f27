import { takeEntries } from "../linux/directory-entries.ts";
import { linkSameNameAt, unlinkAt } from "../linux/syscalls.ts";
import type { ByteString } from "../tar/byte-string.ts";

/** Names in a directory, and the numbers of the inodes that they are to be, in the same order. */
export interface NamedInodes {
  readonly names: readonly ByteString[];
  readonly inodes: readonly number[];
}

/**
 * Gives files of a directory the same names in another one, which has no files, and nobody else's: all of them or none.
 * Both are open. False where that cannot be done, or where one of them is not the file that it is to be.
 */
export function areLinked(from: number, to: number, files: NamedInodes): boolean {
  if (files.names.every((name) => linkSameNameAt(from, to, name) >= 0) && areThose(to, files)) return true;
  for (const name of files.names) unlinkAt(to, name);
  return false;
}

/**
 * Whether the files in a directory are those that were compared: whoever may write to the old root can put something else
 * in their place before they get their further names. With some file systems a directory has other numbers of inodes than
 * the files themselves; then they are not known to be those.
 */
function areThose(directory: number, { names, inodes }: NamedInodes): boolean {
  const expected = new Map(names.map((name, index) => [name, inodes[index]]));
  let count = 0;
  const result = takeEntries(directory, (name, isDirectory, inode) => {
    if (!isDirectory && expected.get(name) === inode) count += 1;
  });
  return result >= 0 && count === names.length;
}
