import { FollowedLinks } from "../layer/followed-links.ts";
import type { LayerTree, Obstacle } from "../layer/walk.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { Directory } from "./directory.ts";
import { fileOf } from "./tree-file.ts";

const otherFile: Obstacle = {};

/** The ways through a tree. Those that depend on layers of which nothing is known throw `Undetermined`. */
export class TreeWays implements LayerTree<Directory> {
  readonly root: Directory;
  readonly followed = new FollowedLinks();

  constructor(root: Directory) {
    this.root = root;
  }

  directoryAt(parent: Directory, name: ByteString): Directory | undefined {
    const child = parent.child(name);
    return child instanceof Directory ? child : undefined;
  }

  knownDirectoryAt(parent: Directory, name: ByteString): Directory | undefined {
    const child = parent.knownChild(name);
    return child instanceof Directory ? child : undefined;
  }

  obstacleAt(parent: Directory, name: ByteString): Obstacle | undefined {
    const child = parent.child(name);
    if (child === undefined || child instanceof Directory) return undefined;
    const { type, linkPath } = fileOf(child);
    return type === "symlink" ? { linkPath } : otherFile;
  }
}
