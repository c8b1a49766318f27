import type { ByteString } from "../tar/byte-string.ts";
import type { Timestamp } from "../tar/entry.ts";
import type { LowerDirectory } from "./lower.ts";

/** What a directory will have in the end. Until then it is open to its owner and to nobody else's wishes. */
export interface DirectoryAttributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Timestamp;
  readonly atime: Timestamp;
}

/** No layer: older than the first. */
export const never = -1;

/**
 * A directory of the root filesystem. All of them were made here, so that where one lies is known without asking.
 *
 * Layers are numbered from 0. A whiteout needs to know of each directory what its own layer said of it, because it hides
 * only what lower layers left.
 */
export class Directory {
  readonly parent: Directory | undefined;
  readonly name: ByteString;
  /** How many directories are above it. */
  readonly depth: number;
  attributes: DirectoryAttributes;
  /** The mode that it has on disk meanwhile. */
  readonly workingMode: number;
  /** Whether it has extended attributes that came from an entry. */
  hasXattrs = false;
  /** The layer that made it, or the last one with an entry for it. */
  layer: number;
  /** The last layer with an entry for it. */
  describedIn = never;
  /** The last layer that needs it although it may have put nothing into it. */
  neededIn = never;
  /** The last layer that left nothing of lower layers in it. What a layer makes, it makes without. */
  clearedIn: number;
  /** Whether it is gone, and everything below it. */
  isRemoved = false;
  /** What the layers below show in it, where they lie elsewhere; nothing where this layer begins it anew. */
  lower: LowerDirectory | undefined;
  /** Whether it is on disk. One of the layers below is made here when something is put into it. */
  isMade = true;
  /** Names of the layers below that are hidden. */
  hidden: Set<ByteString> | undefined;
  /** An open handle, or -1. Belongs to `Handles`, as do the next two. */
  descriptor = -1;
  /** Whether the handle is good for more than for names. */
  isOpened = false;
  isRecentlyUsed = false;
  /** Most directories have none, so that a map for each would be most of what they take. */
  #children: Map<ByteString, Directory> | undefined;

  constructor(
    place: { readonly parent: Directory; readonly name: ByteString } | undefined,
    layer: number,
    attributes: DirectoryAttributes,
    workingMode: number,
  ) {
    this.parent = place?.parent;
    this.name = place?.name ?? ("" as ByteString);
    this.depth = place === undefined ? 0 : place.parent.depth + 1;
    this.layer = layer;
    this.clearedIn = layer;
    this.attributes = attributes;
    this.workingMode = workingMode;
  }

  get children(): Iterable<Directory> {
    return this.#children?.values() ?? [];
  }

  child(name: ByteString): Directory | undefined {
    return this.#children?.get(name);
  }

  /** To be called by `Tree` only, which keeps the disk and this in step. */
  adopt(child: Directory): void {
    this.#children ??= new Map();
    this.#children.set(child.name, child);
  }

  abandon(child: Directory): void {
    this.#children?.delete(child.name);
  }

  /** Hides what the layers below have at a name, be it there or not. */
  hide(name: ByteString): void {
    if (this.lower === undefined) return;
    this.hidden ??= new Set();
    this.hidden.add(name);
  }

  /** Its path in the root filesystem, for messages and nothing else. */
  get path(): ByteString {
    const names: ByteString[] = [];
    for (let each: Directory = this; each.parent !== undefined; each = each.parent) names.push(each.name);
    return names.reverse().join("/") as ByteString;
  }
}
