import type { ByteString } from "../tar/byte-string.ts";
import { Directory, type Node } from "./directory.ts";
import { fileOf, type TreeFile } from "./tree-file.ts";

/** Something in a tree at one of its paths. The root's path is empty. */
export type Item =
  | { readonly path: ByteString; readonly directory: Directory; readonly file?: never }
  | {
      readonly path: ByteString;
      readonly file: TreeFile;
      /** The path of the same file that came before this one, if one did. */
      readonly firstPath: ByteString | undefined;
      readonly directory?: never;
    };

/**
 * Everything from something at a path on down: each directory before what is in it, names in the order of their bytes.
 * Of a file that has several names, the first is the file and the others lead to it (rule W24).
 *
 * `levels` says how far down: with 1, only what is in the directory itself follows it.
 */
export function* inOrder(
  top: Node,
  path = "" as ByteString,
  levels = Number.POSITIVE_INFINITY,
): Generator<Item, void, undefined> {
  const firstPaths = new Map<TreeFile, ByteString>();
  const pending: (readonly [path: ByteString, node: Node, level: number])[] = [[path, top, 0]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [here, node, level] = next;
    if (node instanceof Directory) {
      yield { path: here, directory: node };
      if (level === levels) continue;
      for (const [name, child] of backwards(node)) pending.push([joined(here, name), child, level + 1]);
      continue;
    }
    const file = fileOf(node);
    yield { path: here, file, firstPath: firstPaths.get(file) };
    if (file.isLinked && !firstPaths.has(file)) firstPaths.set(file, here);
  }
}

function backwards(directory: Directory): (readonly [ByteString, Node])[] {
  return [...directory.children()].sort(([one], [other]) => (one < other ? 1 : -1));
}

function joined(path: ByteString, name: ByteString): ByteString {
  return path === "" ? name : (`${path}/${name}` as ByteString);
}
