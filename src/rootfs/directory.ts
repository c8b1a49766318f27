import type { ByteString } from "../tar/byte-string.ts";
import type { Timestamp } from "../tar/entry.ts";
import type { LowerDirectory } from "./lower.ts";
import type { XattrValues } from "./xattrs.ts";

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
  #parent: Directory | undefined;
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
  #isRemoved = false;
  /** Its access-control lists, which wait for the end: until then they would be passed on to what is made in it. */
  acls: XattrValues | undefined;
  /** What the layers below show in it, where they lie elsewhere; nothing where this layer begins it anew. */
  lower: LowerDirectory | undefined;
  /** Whether it is on disk. One of the layers below is made here when something is put into it. */
  isMade = true;
  /** Names of the layers below that are hidden. To be changed by `Tree` only. */
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
    this.#parent = place?.parent;
    this.name = place?.name ?? ("" as ByteString);
    this.depth = place === undefined ? 0 : place.parent.depth + 1;
    this.layer = layer;
    this.clearedIn = layer;
    this.attributes = attributes;
    this.workingMode = workingMode;
  }

  /** Nothing for the root, and for what is gone. */
  get parent(): Directory | undefined {
    return this.#parent;
  }

  /** Whether it is gone, and everything below it. */
  get isRemoved(): boolean {
    return this.#isRemoved;
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

  /** Takes note that it is gone. Whoever still knows it keeps nothing else in memory by it. */
  beRemoved(): void {
    this.#isRemoved = true;
    this.#parent = undefined;
    this.#children = undefined;
    this.acls = undefined;
    this.hidden = undefined;
    this.lower = undefined;
  }

  /** Its path in the root filesystem, for messages and nothing else: it is put together from all names above. */
  get path(): ByteString {
    const names: ByteString[] = [];
    for (let each: Directory = this; each.parent !== undefined; each = each.parent) names.push(each.name);
    return names.reverse().join("/") as ByteString;
  }
}
