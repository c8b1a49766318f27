import { Directory } from "../layer/directory.ts";
import { nothing, type SelectionPatterns, selection } from "./selection.ts";
import type { TreeDirectory } from "./tree-file.ts";

/** The patterns that match nothing in a tree. Each costs a walk over the tree at most, which ends at its first match. */
export function unmatchedPatterns(root: TreeDirectory, { include = [], exclude = [] }: SelectionPatterns): string[] {
  return [...include, ...exclude].filter((pattern) => !matchesAnything(root, pattern));
}

function matchesAnything(root: TreeDirectory, pattern: string): boolean {
  const pending = [{ directory: root, selection: selection({ include: [pattern] }) }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const [name, child] of next.directory.children()) {
      const below = next.selection.below(name);
      if (below.isWanted) return true;
      if (below !== nothing && child instanceof Directory) pending.push({ directory: child, selection: below });
    }
  }
  return false;
}
