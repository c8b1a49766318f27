import { refusal } from "../rootfs/refusal.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { Directory } from "./directory.ts";
import { fileOf } from "./tree-file.ts";

/** Linux follows this many symlinks in one path (path_resolution(7)). */
const linksAtMost = 40;

/**
 * What to do where a way ends too early: at a name that is free, or that a file has. Gives where it goes on, if it does.
 * `isLast` tells whether the way was to end there.
 */
export type Missing = (
  parent: Directory,
  name: ByteString,
  isOccupied: boolean,
  isLast: boolean,
) => Directory | undefined;

/**
 * Follows names from a directory, symlinks included, as a process would for which `root` is all there is: absolute
 * symlinks begin there, and nothing is above it. `path` is the entry's, for messages.
 */
export function walk(
  root: Directory,
  from: Directory,
  names: readonly ByteString[],
  path: ByteString,
  missing: Missing,
): Directory | undefined {
  const ahead = names.toReversed();
  let here = from;
  let links = 0;
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    const child = name === ".." ? (here.parent ?? here) : here.child(name);
    if (child instanceof Directory) {
      here = child;
      continue;
    }
    const file = child && fileOf(child);
    if (file?.type === "symlink") {
      links += 1;
      if (links > linksAtMost) throw refusal(path, `its way leads through more than ${linksAtMost} symlinks`);
      if (file.linkPath.startsWith("/")) here = root;
      for (const each of file.linkPath.split("/").reverse()) {
        if (each !== "" && each !== ".") ahead.push(each as ByteString);
      }
      continue;
    }
    const next = missing(here, name, file !== undefined, ahead.length === 0);
    if (next === undefined) return undefined;
    here = next;
  }
  return here;
}

/** The directory that names lead to, if they lead to one. */
export function find(root: Directory, names: readonly ByteString[], path: ByteString): Directory | undefined {
  return walk(root, root, names, path, () => undefined);
}
