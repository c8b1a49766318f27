import { Directory } from "../layer/directory.ts";
import { pathIn } from "../layer/paths.ts";
import { type ByteString, ownCopy } from "../tar/byte-string.ts";
import { everything, type Selection } from "./selection.ts";
import { fileOf, type TreeDirectory, type TreeFile, type TreeNode } from "./tree-file.ts";

/** Something in a tree at one of its paths. The root's path is empty. */
export type Item =
  | { readonly path: ByteString; readonly directory: TreeDirectory; readonly file?: never }
  | {
      readonly path: ByteString;
      readonly file: TreeFile;
      /** The path of the same file that came before this one, if one did. */
      readonly firstPath: ByteString | undefined;
      readonly directory?: never;
    };

/** What comes next. */
interface Next {
  readonly path: ByteString;
  readonly node: TreeNode;
  /** The directory that it is in; none for the one at the top. */
  readonly parent: TreeNode | undefined;
  readonly level: number;
  readonly selection: Selection;
}

/**
 * A directory of which not everything has come. Names alone wait: with what they stand for many would fill the memory.
 */
interface Opened {
  readonly path: ByteString;
  readonly directory: TreeDirectory;
  /** The next one last. */
  readonly names: ByteString[];
  readonly level: number;
  readonly selection: Selection;
}

/** Which part of what is below something is wanted. */
export interface Extent {
  /** How far down; with 1, only what is in a directory itself follows it. Default: all the way. */
  readonly levels?: number;
  /** What is wanted of what is below. The directories that lead to it come with it. Default: everything. */
  readonly wanted?: Selection;
  /** Which names of a directory come after all others, in the opposite order. Default: none. */
  readonly comesLast?: (name: ByteString) => boolean;
}

/**
 * Everything from something at a path on down: each directory before what is in it, names in the order of their bytes.
 * Of a file that has several names that are wanted, the first is the file and the others lead to it (rule W24).
 */
export function* inOrder(
  top: TreeNode,
  path = "" as ByteString,
  { levels = Number.POSITIVE_INFINITY, wanted = everything, comesLast = () => false }: Extent = {},
): Generator<Item, void, undefined> {
  const firstNames = new Map<TreeFile, FirstName>();
  const opened: Opened[] = [];
  /** The directories that lead here and have not been wanted yet, by their levels. */
  const leading: { readonly item: Item; readonly level: number }[] = [];
  let next: Next | undefined = { path, node: top, parent: undefined, level: 0, selection: wanted };
  for (; next !== undefined; next = nextOf(opened)) {
    const { path: here, node, parent, level, selection } = next;
    while ((leading.at(-1)?.level ?? -1) >= level) leading.pop();
    const item = itemAt(here, node, (file) => pathOf(firstNames.get(file), top, path));
    if (level === 0 || selection.isWanted) {
      for (const { item: directory } of leading.splice(0)) yield directory;
      yield item;
      if (item.file?.isLinked && item.firstPath === undefined)
        firstNames.set(item.file, { parent, name: nameOf(here) });
    } else if (item.directory !== undefined) leading.push({ item, level });
    if (item.directory === undefined || level === levels) continue;
    const names = backwards(item.directory, comesLast);
    opened.push({ path: here, directory: item.directory, names, level: level + 1, selection });
  }
}

function nextOf(opened: Opened[]): Next | undefined {
  for (let last = opened.at(-1); last !== undefined; last = opened.at(-1)) {
    const name = last.names.pop();
    if (name === undefined) {
      opened.pop();
      continue;
    }
    const node = last.directory.child(name);
    if (node === undefined) continue;
    const { path, directory: parent, level, selection } = last;
    return { path: pathIn(path, name), node, parent, level, selection: selection.below(name) };
  }
  return undefined;
}

/**
 * The name of a file that came first. Its path is put together when it is asked for: many long ones would fill the
 * memory.
 */
interface FirstName {
  readonly parent: TreeNode | undefined;
  readonly name: ByteString;
}

function pathOf(first: FirstName | undefined, top: TreeNode, topPath: ByteString): ByteString | undefined {
  if (first === undefined) return undefined;
  const names = [first.name];
  let parent = first.parent;
  for (; parent instanceof Directory && parent !== top; parent = parent.parent) names.push(parent.name);
  return parent === undefined ? topPath : pathIn(topPath, names.reverse().join("/") as ByteString);
}

function itemAt(path: ByteString, node: TreeNode, firstPathOf: (file: TreeFile) => ByteString | undefined): Item {
  if (node instanceof Directory) return { path, directory: node };
  const file = fileOf(node);
  return { path, file, firstPath: file.isLinked ? firstPathOf(file) : undefined };
}

function nameOf(path: ByteString): ByteString {
  return ownCopy(path.slice(path.lastIndexOf("/") + 1) as ByteString);
}

function backwards(directory: TreeDirectory, comesLast: (name: ByteString) => boolean): ByteString[] {
  const names = [...directory.names()].sort().reverse();
  const last = names.filter(comesLast);
  return last.length === 0 ? names : [...last.reverse(), ...names.filter((name) => !comesLast(name))];
}
