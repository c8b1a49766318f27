import type { Listing } from "./listing.ts";
import type { Attributes, Member, Stack } from "./member.ts";
import { type Binding, type Directory, directoryWith, impliedAttributes, listTree, type Node } from "./tree.ts";

/** Ends the application of a stack; says which entry is to blame. */
class Objection extends Error {
  member?: Member;
}

/** A layer breaks a rule so badly that an image with it must not be unpacked. */
export class Refusal extends Objection {}

/** The rules do not say what comes out: any tree and any typed error is right. */
export class Unspecified extends Objection {}

/** Tells whether an error is the model's answer, not the model's fault. */
export function isObjection(error: unknown): error is Refusal | Unspecified {
  return error instanceof Objection;
}

/** How the model is asked to apply entries. */
export interface ModelOptions {
  readonly devices?: "skip" | "create";
  readonly keepDirlinks?: boolean;
  readonly sourceDateEpoch?: number;
}

/**
 * What the layers of an image, bottom first, make together; throws a `Refusal` where a rule wants an error.
 *
 * This is the image-spec's layer.md and the rules W, T and H in as few words as possible: a tree in memory, entries
 * applied one after the other, lenient. It knows nothing of how the program does it.
 */
export function modelled(stack: Stack, options: ModelOptions = {}): Listing {
  const model = new Model(options);
  for (const layer of stack) model.applyLayer(layer);
  return model.list();
}

/** Linux follows this many symlinks in one path (path_resolution(7)). */
const maximumLinks = 40;

class Model {
  readonly #devices: "skip" | "create";
  readonly #keepDirlinks: boolean;
  readonly #implied: Attributes;
  readonly #root: Directory;
  #layer = -1;
  /** Hard links whose targets this layer has yet to bring (H4). */
  #deferred: Deferred[] = [];
  /** What AUFS keeps under `.wh..wh.plnk`: targets of hard links, never a part of the tree (W20, H13). */
  #pseudoLinks = new Map<string, Node>();

  constructor({ devices = "skip", keepDirlinks = false, sourceDateEpoch = 0 }: ModelOptions) {
    this.#devices = devices;
    this.#keepDirlinks = keepDirlinks;
    this.#implied = impliedAttributes(sourceDateEpoch);
    this.#root = directoryWith(this.#implied);
  }

  list(): Listing {
    return listTree(this.#root);
  }

  applyLayer(members: readonly Member[]): void {
    this.#layer++;
    this.#deferred = [];
    this.#pseudoLinks = new Map();
    for (const member of members) blaming(member, () => this.#apply(member));
    this.#linkDeferred();
  }

  #apply(member: Member): void {
    if (member.path === "") return; // T15
    const names = this.#namesOf(member.path);
    const name = names.pop();
    if (name === undefined) this.#applyRoot(member);
    else if (names.some(isReserved))
      this.#notePseudoLink(names, name, member); // W20, W22
    else if (name === ".wh..wh..opq") this.#hideAllBelow(names);
    else if (name.startsWith(".wh..wh."))
      return; // W20
    else if (isReserved(name)) this.#hide(names, name.slice(".wh.".length));
    else this.#create(names, name, member);
  }

  /** T10–T13: empty and `.` components mean nothing; `..` takes back the one before it, which must be no symlink. */
  #namesOf(path: string): string[] {
    const names: string[] = [];
    for (const name of path.split("/")) {
      if (name === "" || name === ".") continue;
      if (name.length > 255) throw new Refusal("T26: a name is too long");
      if (name !== "..") names.push(name);
      else if (names.length === 0) throw new Refusal("T10: a path leads out of the root");
      else if (this.#find(names)?.node.type === "symlink") throw new Refusal("T11: `..` behind a symlink");
      else names.pop();
    }
    return names;
  }

  #applyRoot(member: Member): void {
    if (member.type !== "directory") throw new Refusal("T17: the root is not a directory");
    this.#root.attributes = attributesOf(member);
  }

  #notePseudoLink(parents: readonly string[], name: string, member: Member): void {
    if (parents.length === 1 && parents[0] === ".wh..wh.plnk" && member.type === "file") {
      this.#pseudoLinks.set(name, nodeOf(member));
    }
  }

  /** A whiteout: takes away what lower layers put there, and nothing else (image-spec, layer.md, "Whiteouts"). */
  #hide(parents: readonly string[], name: string): void {
    if (name === "" || name === "." || name === "..") throw new Refusal("W17, W18: a whiteout of nothing");
    const parent = this.#walk(parents);
    const binding = parent?.children.get(name);
    if (parent !== undefined && binding !== undefined && !this.#survives(binding)) parent.children.delete(name);
  }

  /** An opaque whiteout. It needs its directory to exist (W10). */
  #hideAllBelow(names: readonly string[]): void {
    const directory = this.#makeWay(names);
    directory.neededBy = this.#layer;
    this.#hideLower(directory);
  }

  #hideLower(directory: Directory): void {
    for (const [name, binding] of directory.children) if (!this.#survives(binding)) directory.children.delete(name);
  }

  /** Hides what is lower in a binding; tells whether this layer has anything there. */
  #survives({ node, layer }: Binding): boolean {
    if (node.type === "directory") {
      this.#hideLower(node);
      const isImplied = layer !== this.#layer;
      if (isImplied && node.children.size === 0 && node.neededBy !== this.#layer) return false;
      if (isImplied) node.attributes = this.#implied; // W4, W8: the lower directory is gone, this is another one
      return true;
    }
    return layer === this.#layer;
  }

  #create(parents: readonly string[], name: string, member: Member): void {
    const parent = this.#makeWay(parents);
    const existing = this.#childOf(parent, name);
    const directory = member.type === "directory" ? this.#existingDirectory(parents, name, existing) : undefined;
    if (member.type === "hardlink") this.#link(parents, name, member);
    else if (existing !== undefined && directory !== undefined) {
      directory.attributes = attributesOf(member); // children stay; attributes are replaced, xattrs too (M6)
      existing.layer = this.#layer;
    } else if (isDevice(member) && this.#devices === "skip") {
      parent.children.delete(name); // what is left out still hides what is lower, and still has parents
      parent.neededBy = this.#layer;
    } else this.#bind(parent, name, nodeOf(member));
  }

  /** What a directory's entry finds: a directory, or on request a link to one (T4). */
  #existingDirectory(parents: readonly string[], name: string, existing: Binding | undefined): Directory | undefined {
    if (existing?.node.type === "directory") return existing.node;
    const isKeptLink = this.#keepDirlinks && existing?.node.type === "symlink";
    return isKeptLink ? this.#walk([...parents, name]) : undefined;
  }

  #bind(parent: Directory, name: string, node: Node): void {
    parent.children.set(name, { node, layer: this.#layer });
  }

  #link(parents: readonly string[], name: string, member: Member): void {
    const parent = this.#makeWay(parents);
    const names = this.#namesOf(member.target);
    if (names.length === 0) throw new Refusal("H8: a hard link to the root");
    const node = this.#linkTarget(names);
    if (node !== undefined) this.#bind(parent, name, node);
    else {
      parent.neededBy = this.#layer;
      this.#deferred.push({ parent, parents, name, names, member });
    }
  }

  /** What a hard link leads to. A symlink at its end is itself the target (H6). */
  #linkTarget(names: readonly string[]): Node | undefined {
    const [first, second, ...more] = names;
    if (first === ".wh..wh.plnk" && more.length === 0) return this.#pseudoLinks.get(second ?? "");
    const node = this.#find(names)?.node;
    if (node?.type === "directory") throw new Refusal("H8: a hard link to a directory");
    return node;
  }

  /** Deferred links come last, and one may be the target of another. */
  #linkDeferred(): void {
    for (let tried = 0; tried < this.#deferred.length; ) {
      const [link, ...others] = this.#deferred;
      if (link === undefined) return;
      this.#deferred = others;
      const isLinked = blaming(link.member, () => this.#linkNow(link));
      if (!isLinked) this.#deferred.push(link);
      tried = isLinked ? 0 : tried + 1;
    }
    for (const { member } of this.#deferred) {
      blaming(member, () => {
        throw new Refusal("H5: a hard link to what never comes");
      });
    }
  }

  #linkNow({ parent, parents, name, names }: Deferred): boolean {
    const node = this.#linkTarget(names);
    if (node === undefined) return false;
    if (this.#walk(parents) !== parent) throw new Unspecified("H4: the deferred link's parent has moved");
    this.#bind(parent, name, node);
    return true;
  }

  /** What a path names, symlinks followed in its parents only. */
  #find(names: readonly string[]): Binding | undefined {
    const name = names.at(-1);
    const parent = this.#walk(names.slice(0, -1));
    if (name === undefined || parent === undefined) return undefined;
    // A link to a deferred link waits like that one, unless there is something lower that it could mean.
    if (this.#awaitsLink(parent, name) && !parent.children.has(name)) return undefined;
    return this.#childOf(parent, name);
  }

  /** The directory that entries go into; made where it is missing (T19), also at the end of a link (T6), also in the place of a file (T3). */
  #makeWay(names: readonly string[]): Directory {
    const made = this.#walk(names, (parent, name) => {
      const directory = directoryWith(this.#implied);
      this.#bind(parent, name, directory);
      return directory;
    });
    if (made === undefined) throw new TypeError("a way that is made leads somewhere");
    return made;
  }

  /** Follows names and symlinks as a process would for which the tree is all there is: nothing is above the root. */
  #walk(
    names: readonly string[],
    missing: (parent: Directory, name: string) => Directory | undefined = () => undefined,
  ): Directory | undefined {
    let way = [this.#root];
    let links = 0;
    const ahead = [...names];
    for (let name = ahead.shift(); name !== undefined; name = ahead.shift()) {
      const here = way.at(-1) ?? this.#root;
      const node = name === ".." ? undefined : this.#childOf(here, name)?.node;
      if (name === "..") way = way.length > 1 ? way.slice(0, -1) : way;
      else if (node?.type === "symlink") {
        if (++links > maximumLinks) throw new Refusal("T7: symlinks without end");
        if (node.target.startsWith("/")) way = [this.#root];
        ahead.unshift(...node.target.split("/").filter((part) => part !== "" && part !== "."));
      } else {
        const next = node?.type === "directory" ? node : missing(here, name);
        if (next === undefined) return undefined;
        way = [...way, next];
      }
    }
    return way.at(-1);
  }

  /** A name, as the entries so far have it. What stands where a deferred link will stand is nobody's to say. */
  #childOf(parent: Directory, name: string): Binding | undefined {
    if (this.#awaitsLink(parent, name)) throw new Unspecified("H4: an entry meets a link that is deferred");
    return parent.children.get(name);
  }

  #awaitsLink(parent: Directory, name: string): boolean {
    return this.#deferred.some((link) => link.parent === parent && link.name === name);
  }
}

interface Deferred {
  readonly parent: Directory;
  readonly parents: readonly string[];
  readonly name: string;
  readonly names: readonly string[];
  readonly member: Member;
}

function blaming<T>(member: Member, apply: () => T): T {
  try {
    return apply();
  } catch (error) {
    if (error instanceof Objection) error.member ??= member;
    throw error;
  }
}

function isReserved(name: string): boolean {
  return name.startsWith(".wh.");
}

function isDevice({ type }: Member): boolean {
  return type === "character-device" || type === "block-device";
}

function attributesOf({ mode, uid, gid, mtime, xattrs }: Member): Attributes {
  return { mode, uid, gid, mtime, xattrs };
}

function nodeOf(member: Member): Node {
  const { type, target, content, device } = member;
  if (type === "hardlink") throw new TypeError("a hard link is a name, not a file");
  return type === "directory"
    ? directoryWith(attributesOf(member))
    : { type, target, content, device, ...attributesOf(member) };
}
