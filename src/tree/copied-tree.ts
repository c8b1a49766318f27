import type { Memory } from "../base/memory-budget.ts";
import { Directory } from "../layer/directory.ts";
import { bytesOfNode, FurtherName, fileOf, type InMemory, type TreeDirectory, type TreeNode } from "./tree-file.ts";

/**
 * A copy of a tree of which everything is known, to which other layers can be applied. The files are those of the first
 * one: in the copy each of their names is a further one, which has a layer of its own. All that a layer changes of a file
 * itself is that it may have several names, which may thus be said of it although none is left.
 */
export function copiedTree(root: TreeDirectory, memory: Memory): TreeDirectory {
  const copy = copiedDirectory(root, undefined);
  const pending: [TreeDirectory, TreeDirectory][] = [[root, copy]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [from, to] = next;
    for (const [name, node] of from.children()) {
      const copied: TreeNode =
        node instanceof Directory ? copiedDirectory(node, to) : new FurtherName(fileOf(node), node.layer);
      memory.spend(bytesOfNode(name, copied), "files");
      to.set(name, copied);
      if (node instanceof Directory && copied instanceof Directory) pending.push([node, copied]);
    }
  }
  return copy;
}

function copiedDirectory(directory: TreeDirectory, parent: TreeDirectory | undefined): TreeDirectory {
  const { name, attributes, layer, origin, describedIn, neededIn, clearedIn } = directory;
  const position = parent === undefined ? undefined : { parent, name };
  const copy = new Directory<InMemory>(position, { layer, attributes, own: undefined });
  copy.origin = origin;
  copy.describedIn = describedIn;
  copy.neededIn = neededIn;
  copy.clearedIn = clearedIn;
  return copy;
}
