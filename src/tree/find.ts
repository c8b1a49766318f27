import { isOciUnpackError, OciUnpackError } from "../base/errors.ts";
import { Directory } from "../layer/directory.ts";
import { quoted } from "../layer/findings.ts";
import { pathIn } from "../layer/paths.ts";
import { type OnMissing, walk } from "../layer/walk.ts";
import { type ByteString, textOf } from "../tar/byte-string.ts";
import { TreeLookup } from "./tree-back-end.ts";
import type { TreeDirectory, TreeNode } from "./tree-file.ts";

/** What is at a path, and its path without symlinks. */
export interface Found {
  readonly path: ByteString;
  readonly node: TreeNode;
}

/**
 * Finds what a path leads to, as a process in the container would: symlinks on the way are followed, and `..` is the
 * directory above. A symlink at the end is followed too if `followsLast` says so, or if the path ends in a slash.
 */
export function find(root: TreeDirectory, path: ByteString, followsLast: boolean): Found {
  const names = path.split("/").filter((name) => name !== "" && name !== ".") as ByteString[];
  const last = names.at(-1);
  if (last === undefined) return { path: "" as ByteString, node: root };
  if (last === ".." || followsLast || /\/\.?$/.test(path)) return followed(root, names, path);
  const parent = walked(root, names.slice(0, -1), path, () => undefined);
  const node = parent?.child(last);
  if (parent === undefined || node === undefined) throw notFound(path);
  return { path: pathIn(parent.path, last), node };
}

function followed(root: TreeDirectory, names: readonly ByteString[], path: ByteString): Found {
  let end: Found | undefined;
  const directory = walked(root, names, path, (parent, name, isOccupied, isLast) => {
    const node = isOccupied && isLast ? parent.child(name) : undefined;
    if (node !== undefined) end = { path: pathIn(parent.path, name), node };
    return undefined;
  });
  const found = directory === undefined ? end : { path: directory.path, node: directory };
  if (found === undefined || (/\/\.?$/.test(path) && !(found.node instanceof Directory))) throw notFound(path);
  return found;
}

/** The directory that names lead to. That they go in circles is no fault of the image: somebody else chose the path. */
function walked(
  root: TreeDirectory,
  names: readonly ByteString[],
  path: ByteString,
  missing: OnMissing<TreeDirectory>,
): TreeDirectory | undefined {
  try {
    return walk(new TreeLookup(root), root, names, path, missing).directory;
  } catch (error) {
    if (!isOciUnpackError(error, "ENTRY_REFUSED")) throw error;
    throw notFound(path, "a name on the way is too long, or too many symlinks are");
  }
}

/** The error for a path that leads to nothing. */
export function notFound(path: ByteString, found = "the image has nothing there"): OciUnpackError {
  return new OciUnpackError("NOT_FOUND", `cannot find ${quoted(path)}: ${found}`, {
    hint: "`list` tells what is there",
    details: { path: textOf(path) },
  });
}
