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
 * Everything from a directory on down: each directory before what is in it, names in the order of their bytes. Of a file
 * that has several names, the first is the file and the others lead to it (rule W24).
 */
export function* inOrder(top: Directory, path = "" as ByteString): Iterable<Item> {
  const firstPaths = new Map<TreeFile, ByteString>();
  const pending: (readonly [ByteString, Node])[] = [[path, top]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [here, node] = next;
    if (node instanceof Directory) {
      yield { path: here, directory: node };
      for (const [name, child] of backwards(node)) pending.push([joined(here, name), child]);
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
