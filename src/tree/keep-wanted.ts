import { Directory } from "../layer/directory.ts";
import { everything, type Selection } from "./selection.ts";
import type { TreeDirectory } from "./tree-file.ts";

/** Takes out of a tree what is not wanted. The directories that lead to what is wanted stay. */
export function keepWanted(root: TreeDirectory, wanted: Selection): void {
  const pending = [{ directory: root, selection: wanted }];
  /** Directories that are not wanted themselves, each before those that are in it. */
  const leading: TreeDirectory[] = [];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { directory, selection } = next;
    for (const [name, child] of directory.children()) {
      const below = selection.below(name);
      if (child instanceof Directory && below !== everything) pending.push({ directory: child, selection: below });
      if (below.isWanted) continue;
      if (child instanceof Directory) leading.push(child);
      else directory.delete(name);
    }
  }
  for (const { parent, name, isEmpty } of leading.reverse()) if (isEmpty) parent?.delete(name);
}
