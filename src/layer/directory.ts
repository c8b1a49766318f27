import { type ByteString, textOf } from "../tar/byte-string.ts";
import type { Timestamp } from "../tar/entry.ts";

/** What a file or a directory has besides its type and its content. */
export interface Attributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Timestamp;
  readonly atime?: Timestamp | undefined;
  readonly xattrs?: ReadonlyMap<ByteString, Uint8Array> | undefined;
}

/** What a directory has that no layer describes (rules T18, T19). */
export function impliedAttributes({ sourceDateEpoch }: { readonly sourceDateEpoch: number }): Attributes {
  return { mode: 0o755, uid: 0, gid: 0, mtime: { seconds: sourceDateEpoch, nanoseconds: 0 } };
}

/** No layer: older than the first. */
export const never = -1;

/** Stands, in a directory of which not everything is known, for a name that is known to be free. */
const free = Symbol("free");

/** What a back end keeps, as types: the disk's, or memory's. */
export interface BackEndTypes {
  /** What a name stands for that is no directory's. `never` where such names are not kept. */
  readonly file: object;
  /** What is kept of a directory besides what every directory has. */
  readonly own: unknown;
  /** What is known of a file that a hard link is made to. */
  readonly original: unknown;
}

/** What a name in a directory stands for. */
export type NodeOf<Types extends BackEndTypes> = Directory<Types> | Types["file"];

/** What a directory begins with. */
interface Beginning<Types extends BackEndTypes> {
  /** The layer that makes it. */
  readonly layer: number;
  readonly attributes: Attributes;
  readonly own: Types["own"];
  /** Whether layers that the tree was not given may have things in it. Default: false. */
  readonly isOpen?: boolean;
}

/**
 * A directory of a tree that layers are applied to, whatever holds the tree.
 *
 * Layers are numbered from 0. A whiteout needs to know of each directory what its own layer said of it, because it
 * hides only what lower layers left.
 */
export class Directory<Types extends BackEndTypes> {
  #parent: Directory<Types> | undefined;
  readonly name: ByteString;
  /** How many directories are above it. */
  readonly depth: number;
  attributes: Attributes;
  /** The layer that its attributes are from; where they are implied, the layer that implies it. */
  origin: number;
  /** The layer that made it, or the last one with an entry for it. */
  layer: number;
  /** The last layer with an entry for it. */
  describedIn = never;
  /** The last layer that needs it although it may have put nothing into it. */
  neededIn = never;
  /** The last layer that left nothing of lower layers in it. What a layer makes, it makes without. */
  clearedIn: number;
  readonly own: Types["own"];
  #isRemoved = false;
  #isOpen: boolean;
  /** Many have none, so that a map for each would be much of what they take. */
  #children: Map<ByteString, NodeOf<Types> | typeof free> | undefined;

  constructor(
    position: { readonly parent: Directory<Types>; readonly name: ByteString } | undefined,
    { layer, attributes, own, isOpen = false }: Beginning<Types>,
  ) {
    this.#parent = position?.parent;
    this.name = position?.name ?? ("" as ByteString);
    this.depth = position === undefined ? 0 : position.parent.depth + 1;
    this.attributes = attributes;
    this.origin = layer;
    this.layer = layer;
    this.clearedIn = isOpen ? never : layer;
    this.own = own;
    this.#isOpen = isOpen;
  }

  /** Nothing for the root, and for what is gone. */
  get parent(): Directory<Types> | undefined {
    return this.#parent;
  }

  /** Whether it is gone, and everything below it. */
  get isRemoved(): boolean {
    return this.#isRemoved;
  }

  /** Takes note that it is gone. Whoever still knows it keeps nothing else in memory by it. */
  beRemoved(): void {
    this.#isRemoved = true;
    this.#parent = undefined;
    this.#children = undefined;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * What a name stands for; `undefined` for nothing. Throws `Undetermined` where lower layers would have to be asked.
   */
  child(name: ByteString): NodeOf<Types> | undefined {
    const child = this.#children?.get(name);
    if (child === undefined && this.#isOpen) throw new Undetermined(this.path, name);
    return child === free ? undefined : child;
  }

  /** What a name is known to stand for, whatever lower layers may have there. */
  knownChild(name: ByteString): NodeOf<Types> | undefined {
    const child = this.#children?.get(name);
    return child === free ? undefined : child;
  }

  /** Whether nothing at all is known of a name. */
  isUnknown(name: ByteString): boolean {
    return this.#isOpen && this.#children?.get(name) === undefined;
  }

  /** All that is known to be in it. */
  *knownChildren(): Iterable<readonly [ByteString, NodeOf<Types>]> {
    if (this.#children === undefined) return;
    for (const [name, child] of this.#children) if (child !== free) yield [name, child];
  }

  /** All that is in it. Throws `Undetermined` where lower layers would have to be asked. */
  children(): Iterable<readonly [ByteString, NodeOf<Types>]> {
    if (this.#isOpen) throw new Undetermined(this.path);
    // Where nothing is unknown, no name is kept because it is free.
    return (this.#children as Map<ByteString, NodeOf<Types>> | undefined) ?? [];
  }

  /** The directories that are known to be in it. */
  *directories(): Iterable<Directory<Types>> {
    if (this.#children === undefined) return;
    for (const child of this.#children.values()) if (child instanceof Directory) yield child;
  }

  /** The names of all that is in it. Throws `Undetermined` where lower layers would have to be asked. */
  names(): Iterable<ByteString> {
    if (this.#isOpen) throw new Undetermined(this.path);
    return this.toldNames(); // where nothing is unknown, no name is kept because it is free
  }

  /** The names of which anything is known, be it that they are free. */
  toldNames(): Iterable<ByteString> {
    return this.#children?.keys() ?? [];
  }

  /** How many names are in it. Throws `Undetermined` where lower layers would have to be asked. */
  get size(): number {
    if (this.#isOpen) throw new Undetermined(this.path);
    return this.#children?.size ?? 0;
  }

  get isEmpty(): boolean {
    return !this.#isOpen && (this.#children === undefined || this.#children.size === 0);
  }

  set(name: ByteString, child: NodeOf<Types>): void {
    this.#children ??= new Map();
    this.#children.set(name, child);
  }

  delete(name: ByteString): void {
    if (!this.#isOpen) this.#children?.delete(name);
    else {
      this.#children ??= new Map();
      this.#children.set(name, free);
    }
  }

  /** Says that lower layers have nothing in it, or nothing that counts. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const [name, child] of this.#children ?? []) if (child === free) this.#children?.delete(name);
  }

  /** Its path, for messages and for questions: it is put together from all names above. */
  get path(): ByteString {
    const names: ByteString[] = [];
    for (let each: Directory<Types> = this; each.parent !== undefined; each = each.parent) names.push(each.name);
    return names.reverse().join("/") as ByteString;
  }
}

/** Where something is to be: a name in a directory. `path` is the entry's own, for messages. */
export interface EntryDestination<Types extends BackEndTypes> {
  readonly parent: Directory<Types>;
  readonly name: ByteString;
  readonly path: ByteString;
}

/**
 * What was asked for depends on layers below those that the tree was given. Never reaches a caller of this library:
 * whoever builds on an unknown base reads one layer more and asks again.
 */
export class Undetermined extends Error {
  /** The path of a directory of which not everything is known. */
  readonly directoryPath: ByteString;
  /** The name in it that was looked for; absent where all names were. */
  readonly childName: ByteString | undefined;

  constructor(directoryPath: ByteString, childName?: ByteString) {
    super(`only lower layers tell what is in "${textOf(directoryPath)}"`);
    this.name = "Undetermined";
    this.directoryPath = directoryPath;
    this.childName = childName;
  }
}
