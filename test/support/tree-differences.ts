import type { Tree, TreeItem } from "./tree.ts";

/** One thing that two trees say differently of one path. `undefined` where a tree says nothing of it. */
export interface Difference {
  readonly path: string;
  /** "presence" where only one tree has the path at all. */
  readonly field: keyof TreeItem | "presence";
  readonly ours: unknown;
  readonly theirs: unknown;
}

/** Compares two trees entry by entry and field by field. */
export function differences(ours: Tree, theirs: Tree): readonly Difference[] {
  const paths = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].toSorted();
  return paths.flatMap((path) => differencesAt(path, ours[path], theirs[path]));
}

function differencesAt(path: string, ours: TreeItem | undefined, theirs: TreeItem | undefined): Difference[] {
  if (ours === undefined || theirs === undefined) {
    return [{ path, field: "presence", ours: ours?.type, theirs: theirs?.type }];
  }
  return fields
    .filter((field) => JSON.stringify(ours[field]) !== JSON.stringify(theirs[field]))
    .map((field) => ({ path, field, ours: ours[field], theirs: theirs[field] }));
}

const fields: readonly (keyof TreeItem)[] = [
  "type",
  "mode",
  "owner",
  "mtime",
  "xattrs",
  "size",
  "content",
  "target",
  "device",
  "sameFileAs",
];
