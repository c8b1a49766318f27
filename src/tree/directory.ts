import type { ByteString } from "../tar/byte-string.ts";
import type { Attributes, FurtherName, TreeFile } from "./tree-file.ts";
import { Undetermined } from "./undetermined.ts";

/** What a name in a directory stands for. */
export type Node = Directory | TreeFile | FurtherName;

/** No layer: older than the first. */
export const never = -1;

/** Stands, in a directory of which not everything is known, for a name that is known to be free. */
const free = Symbol("free");

/** A directory of a merged tree. Layers are numbered from 0; a whiteout needs to know what its own layer said of each. */
export class Directory {
  #parent: Directory | undefined;
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
  #isRemoved = false;
  /** Whether layers that the tree was not given may have things in it. */
  #isOpen: boolean;
  /** Many have none, so that a map for each would be much of what they take. */
  #children: Map<ByteString, Node | typeof free> | undefined;

  constructor(
    place: { readonly parent: Directory; readonly name: ByteString } | undefined,
    layer: number,
    attributes: Attributes,
    isOpen = false,
  ) {
    this.#parent = place?.parent;
    this.name = place?.name ?? ("" as ByteString);
    this.depth = place === undefined ? 0 : place.parent.depth + 1;
    this.attributes = attributes;
    this.origin = layer;
    this.layer = layer;
    this.clearedIn = isOpen ? never : layer;
    this.#isOpen = isOpen;
  }

  /** Nothing for the root, and for what is gone. */
  get parent(): Directory | undefined {
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

  /** What a name stands for; `undefined` for nothing. Throws `Undetermined` where lower layers would have to be asked. */
  child(name: ByteString): Node | undefined {
    const child = this.#children?.get(name);
    if (child === undefined && this.#isOpen) throw new Undetermined(this.path, name);
    return child === free ? undefined : child;
  }

  /** What a name is known to stand for, whatever lower layers may have there. */
  knownChild(name: ByteString): Node | undefined {
    const child = this.#children?.get(name);
    return child === free ? undefined : child;
  }

  /** Whether nothing at all is known of a name. */
  isUnknown(name: ByteString): boolean {
    return this.#isOpen && this.#children?.get(name) === undefined;
  }

  /** All that is known to be in it. */
  *knownChildren(): Iterable<readonly [ByteString, Node]> {
    if (this.#children === undefined) return;
    for (const [name, child] of this.#children) if (child !== free) yield [name, child];
  }

  /** All that is in it. Throws `Undetermined` where lower layers would have to be asked. */
  children(): Iterable<readonly [ByteString, Node]> {
    if (this.#isOpen) throw new Undetermined(this.path);
    return this.knownChildren();
  }

  /** The names of all that is in it. Throws `Undetermined` where lower layers would have to be asked. */
  names(): Iterable<ByteString> {
    if (this.#isOpen) throw new Undetermined(this.path);
    return this.#children?.keys() ?? []; // where nothing is unknown, no name is kept because it is free
  }

  get isEmpty(): boolean {
    return !this.#isOpen && (this.#children === undefined || this.#children.size === 0);
  }

  set(name: ByteString, child: Node): void {
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

  /** Its path, for messages and for questions. */
  get path(): ByteString {
    const names: ByteString[] = [];
    for (let each: Directory = this; each.parent !== undefined; each = each.parent) names.push(each.name);
    return names.reverse().join("/") as ByteString;
  }
}
