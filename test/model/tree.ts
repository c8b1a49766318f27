import { contentOf, type Item, type Listing, listingOf, modeOf, timeOf } from "./listing.ts";
import type { Attributes, Member } from "./member.ts";

/** A file as the file system has it, whatever its names: what hard links share. */
export type Node = Directory | Leaf;

/** What has no children: a file, a symlink, a fifo, a device. */
export interface Leaf extends Attributes {
  readonly type: Exclude<Member["type"], "directory" | "hardlink">;
  readonly content: string;
  readonly target: string;
  readonly device: string;
}

export interface Directory {
  readonly type: "directory";
  attributes: Attributes;
  readonly children: Map<string, Binding>;
  /** The last layer that needed this directory to exist without naming it, though it may have put nothing into it. */
  neededBy: number;
}

/** A name in a directory. `layer` is the last one that said what stands here: whiteouts hide only what is lower. */
export interface Binding {
  readonly node: Node;
  layer: number;
}

/** What a directory has that no layer describes (rules T18, T19). */
export function impliedAttributes(seconds: number): Attributes {
  return { mode: 0o755, uid: 0, gid: 0, mtime: { seconds, nanoseconds: 0 }, xattrs: new Map() };
}

export function directoryWith(attributes: Attributes): Directory {
  return { type: "directory", attributes, children: new Map(), neededBy: -1 };
}

/** Everything below and including a root. */
export function listTree(root: Directory): Listing {
  const files = new Map<string, { item: Item; identity: unknown }>();
  const visit = (path: string, node: Node): void => {
    files.set(path, { item: itemOf(node), identity: node });
    if (node.type !== "directory") return;
    for (const [name, child] of node.children) visit(path === "." ? name : `${path}/${name}`, child.node);
  };
  visit(".", root);
  return listingOf(files);
}

function itemOf(node: Node): Item {
  const { mode, uid, gid, mtime, xattrs } = node.type === "directory" ? node.attributes : node;
  const item = {
    type: node.type,
    mode: node.type === "symlink" ? "-" : modeOf(mode),
    owner: `${uid}:${gid}`,
    mtime: timeOf(mtime.seconds, mtime.nanoseconds),
    xattrs: Object.fromEntries([...xattrs].sort()),
  };
  if (node.type === "file") return { ...item, content: contentOf(node.content) };
  if (node.type === "symlink") return { ...item, target: node.target };
  if (node.type === "character-device" || node.type === "block-device") return { ...item, device: node.device };
  return item;
}
