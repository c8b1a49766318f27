import type { Attributes } from "../layer/directory.ts";
import { Directory } from "../layer/directory.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { byteString } from "../tar/byte-string.ts";
import { fileOf, type TreeDirectory, type TreeFile, type TreeNode } from "../tree/tree-file.ts";

/** What of a file or a directory a layer may have changed. */
export type ChangedPart = "type" | "mode" | "owner" | "time" | "size" | "content" | "target" | "device" | "xattrs";

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
export function changedParts(before: NodeState, after: NodeState, digestOf: DigestOf): ChangedPart[] {
  const { file: one } = before;
  const { file: other } = after;
  if (one?.type !== other?.type) return ["type"];
  const parts = changedAttributes(before.attributes, after.attributes);
  if (one === undefined || other === undefined || one === other) return parts;
  if (one.sizeBytes !== other.sizeBytes) parts.push("size", "content");
  else if (one.sizeBytes > 0 && !hasSameContent(digestOf(one), digestOf(other))) parts.push("content");
  if (one.linkPath !== other.linkPath) parts.push("target");
  if (one.deviceMajor !== other.deviceMajor || one.deviceMinor !== other.deviceMinor) parts.push("device");
  return parts;
}

/** Where a digest is not known, nobody can say that the content is the same. */
function hasSameContent(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && one === other;
}

function changedAttributes(one: Attributes, other: Attributes): ChangedPart[] {
  const parts: ChangedPart[] = [];
  if (one === other) return parts;
  if (one.mode !== other.mode) parts.push("mode");
  if (one.uid !== other.uid || one.gid !== other.gid) parts.push("owner");
  const { mtime } = one;
  if (mtime.seconds !== other.mtime.seconds || mtime.nanoseconds !== other.mtime.nanoseconds) parts.push("time");
  if (!hasSameXattrs(one.xattrs, other.xattrs)) parts.push("xattrs");
  return parts;
}

function hasSameXattrs(one: Attributes["xattrs"], other: Attributes["xattrs"]): boolean {
  if ((one?.size ?? 0) !== (other?.size ?? 0)) return false;
  return [...(one ?? [])].every(([name, value]) => bytesAt(other, name) === byteString(value));
}

function bytesAt(xattrs: Attributes["xattrs"], name: ByteString): ByteString | undefined {
  const value = xattrs?.get(name);
  return value && byteString(value);
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
