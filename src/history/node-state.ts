import type { DifferentPart } from "../base/option-words.ts";
import type { Attributes } from "../layer/directory.ts";
import { Directory } from "../layer/directory.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { comparedAttributes, comparedFiles, differentIn } from "../tree/different-parts.ts";
import { fileOf, type TreeDirectory, type TreeFile, type TreeNode } from "../tree/tree-file.ts";

/** What stood at a path at some time: a file, or the attributes that a directory had then. */
export type NodeState =
  | { readonly file: TreeFile; readonly attributes: Attributes }
  | { readonly file?: never; readonly attributes: Attributes };

export function stateOf(node: TreeNode): NodeState {
  if (node instanceof Directory) return { attributes: node.attributes };
  const file = fileOf(node);
  return { file, attributes: file };
}

/** The digest of a file's data, where it is known. */
export type DigestOf = (file: TreeFile) => string | undefined;

/** What is different of two states of a path. Where the types are, nothing else is compared. */
export function changedParts(before: NodeState, after: NodeState, digestOf: DigestOf): DifferentPart[] {
  const { file: one } = before;
  const { file: other } = after;
  if (before.attributes === after.attributes) return []; // the same file, or a directory that nothing described anew
  if (one === undefined && other === undefined)
    return differentIn(comparedAttributes(before.attributes, after.attributes));
  if (one === undefined || other === undefined) return ["type"];
  return differentIn(comparedFiles(one, other, (...files) => haveSameContent(...files, digestOf)));
}

/** Where a digest is not known, nobody can say that the content is the same. */
function haveSameContent(one: TreeFile, other: TreeFile, digestOf: DigestOf): boolean {
  if (one.sizeBytes !== other.sizeBytes || one.sizeBytes === 0) return one.sizeBytes === other.sizeBytes;
  const digest = digestOf(one);
  return digest !== undefined && digest === digestOf(other);
}

/** What stands at a path that leads through no symlink; the root at the empty one. */
export function nodeAt(root: TreeDirectory, path: ByteString): TreeNode | undefined {
  let node: TreeNode | undefined = root;
  for (const name of path === "" ? [] : (path.split("/") as ByteString[])) {
    if (!(node instanceof Directory)) return undefined;
    node = node.child(name);
  }
  return node;
}
