import { FollowedLinks } from "../layer/counted-limits.ts";
import { Directory } from "../layer/directory.ts";
import type { LayerTree, Obstacle } from "../layer/walk.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { TreeDirectory } from "./tree-file.ts";
import { fileOf } from "./tree-file.ts";

const otherFile: Obstacle = {};

/**
 * Where paths lead in a tree in memory. Answers that depend on layers of which nothing is known throw `Undetermined`.
 */
export class TreeLookup implements LayerTree<TreeDirectory> {
  readonly root: TreeDirectory;
  readonly followed = new FollowedLinks();

  constructor(root: TreeDirectory) {
    this.root = root;
  }

  directoryAt(parent: TreeDirectory, name: ByteString): TreeDirectory | undefined {
    const child = parent.child(name);
    return child instanceof Directory ? child : undefined;
  }

  knownDirectoryAt(parent: TreeDirectory, name: ByteString): TreeDirectory | undefined {
    const child = parent.knownChild(name);
    return child instanceof Directory ? child : undefined;
  }

  obstacleAt(parent: TreeDirectory, name: ByteString): Obstacle | undefined {
    const child = parent.child(name);
    if (child === undefined || child instanceof Directory) return undefined;
    const { type, linkPath } = fileOf(child);
    return type === "symlink" ? { linkPath } : otherFile;
  }
}
