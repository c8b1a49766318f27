import type { ByteString } from "../tar/byte-string.ts";
import type { FollowedLinks } from "./counted-limits.ts";
import { checkNameLength } from "./entry-checks.ts";
import { refusal } from "./findings.ts";

/** Linux follows this many symlinks in one path (path_resolution(7)). */
const linksAtMost = 40;

/** What is no directory, and stands at a name. */
export interface Obstacle {
  /** Where it leads, if it is a symlink. */
  readonly linkPath?: ByteString;
}

/** Looks up directories and symlinks, which paths lead through. */
export interface PathLookup<Directory> {
  readonly root: Directory;
  /** The directory that stands at a name. */
  directoryAt(parent: Directory, name: ByteString): Directory | undefined;
  /** How much of symlinks may be followed. */
  readonly followed: FollowedLinks;
  /**
   * What keeps a path from going on at a name that is no directory's; nothing where the name is free. `path` is for
   * messages.
   */
  obstacleAt(parent: Directory, name: ByteString, path: ByteString): Obstacle | undefined;
}

/** The same for whoever may have to do without layers below, of which nothing is known. */
export interface LayerTree<Directory> extends PathLookup<Directory> {
  /** The directory that is known to stand at a name, whatever layers below may have there. */
  knownDirectoryAt(parent: Directory, name: ByteString): Directory | undefined;
}

/** Where names led, and through how many symlinks. */
export interface Route<Directory> {
  readonly directory: Directory | undefined;
  readonly links: number;
}

/**
 * What to do where names end too early: at one that is free, or that a file has. Gives where it goes on, if it does.
 * `isLast` tells whether it was the last name.
 */
export type OnMissing<Directory> = (
  parent: Directory,
  name: ByteString,
  isOccupied: boolean,
  isLast: boolean,
) => Directory | undefined;

/**
 * Follows names from a directory, symlinks included, as a process would for which the root is all there is: absolute
 * symlinks begin there, and nothing is above it. `path` is the entry's, for messages.
 */
export function walk<Directory extends { readonly parent: Directory | undefined }>(
  lookup: PathLookup<Directory>,
  from: Directory,
  names: readonly ByteString[],
  path: ByteString,
  missing: OnMissing<Directory>,
): Route<Directory> {
  const ahead = names.toReversed();
  let here = from;
  let links = 0;
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    checkNameLength(name, path);
    const child = name === ".." ? (here.parent ?? here) : lookup.directoryAt(here, name);
    if (child !== undefined) {
      here = child;
      continue;
    }
    const obstacle = lookup.obstacleAt(here, name, path);
    const target = obstacle?.linkPath;
    if (target !== undefined) {
      links += 1;
      if (links > linksAtMost) throw refusal(path, `its way leads through more than ${linksAtMost} symlinks`);
      lookup.followed.follow(target, path);
      if (target.startsWith("/")) here = lookup.root;
      for (const each of target.split("/").reverse()) if (each !== "" && each !== ".") ahead.push(each as ByteString);
      continue;
    }
    const next = missing(here, name, obstacle !== undefined, ahead.length === 0);
    if (next === undefined) return { directory: undefined, links };
    here = next;
  }
  return { directory: here, links };
}

/** The directory that names lead to from the root, if they lead to one. */
export function find<Directory extends { readonly parent: Directory | undefined }>(
  lookup: PathLookup<Directory>,
  names: readonly ByteString[],
  path: ByteString,
): Directory | undefined {
  return walk(lookup, lookup.root, names, path, () => undefined).directory;
}
