import { OciUnpackError } from "../base/errors.ts";
import { MemoryShare } from "../base/memory-budget.ts";
import { failure, limitExceeded, quoted } from "../layer/refusal.ts";
import { type Walk, walk } from "../layer/walk.ts";
import { readEntries, rewindEntries } from "../linux/directory-entries.ts";
import { errnos } from "../linux/errno.ts";
import type { Result } from "../linux/libc.ts";
import { statAt } from "../linux/stat.ts";
import { makeDirectoryAt, unlinkAt } from "../linux/syscalls.ts";
import { type ByteString, textOf } from "../tar/byte-string.ts";
import type { DiskDirectory, Place } from "./directory.ts";
import { MadeNames } from "./made-names.ts";
import { removeTree } from "./remove.ts";
import type { Site } from "./site.ts";

/** Makes and removes what stands at the places of a tree, for one layer, and remembers what is that layer's. */
export class Places {
  readonly layer: number;
  readonly made: MadeNames;
  readonly #site: Site;

  constructor(site: Site, layer: number) {
    this.#site = site;
    this.layer = layer;
    this.made = new MadeNames(layer, new MemoryShare(site.memory));
  }

  /** Makes something that is no directory, in the stead of whatever is there. `call` names the system call. */
  make(place: Place, call: string, create: (directory: number, name: ByteString) => Result): Result {
    const result = this.#create(place, call, create);
    this.made.add(place.parent, place.name);
    return result;
  }

  /** Makes a directory, in the stead of whatever is there. Its attributes are implied until an entry describes it. */
  makeDirectory(place: Place, mode: number): DiskDirectory {
    const { parent, name, path } = place;
    const { directories, settings, tree } = this.#site;
    if (parent.depth >= settings.limits.pathDepth) {
      const found = `a directory below ${parent.depth} others`;
      throw limitExceeded(path, found, "pathDepth", settings.limits.pathDepth);
    }
    const workingMode = directories.workingMode(mode);
    this.#create(place, "mkdirat", (handle) => makeDirectoryAt(handle, name, workingMode));
    this.made.delete(parent, name);
    return tree.add(parent, name, this.layer, directories.implied, workingMode);
  }

  /** The directory that names lead to. What is missing on the way is made, also at the end of a symlink or where a file is. */
  wayTo(names: readonly ByteString[], path: ByteString): Walk<DiskDirectory> & { readonly directory: DiskDirectory } {
    const { directories, findings, tree } = this.#site;
    const { directory, links } = walk(tree, tree.root, names, path, (parent, name, isOccupied) => {
      const place = { parent, name, path };
      // One long path makes thousands of them.
      this.#site.entries.spend(1, path);
      if (isOccupied) {
        findings.repaired("PARENT_REPLACED", `${quoted(name)} was no directory and is replaced by one`, path);
        this.#unlink(place);
      }
      return this.makeDirectory(place, directories.implied.mode);
    });
    if (directory === undefined) throw new TypeError("a way that is made leads somewhere");
    return { directory, links };
  }

  /** Makes a directory of the layers below one of this layer too, with the attributes that it has there. */
  establish(directory: DiskDirectory): void {
    if (directory.own.isMade) return;
    const { parent, name, path, attributes, own } = directory;
    if (parent === undefined) return;
    this.establish(parent);
    const { directories, tree } = this.#site;
    const result = makeDirectoryAt(tree.handles.of(parent), name, own.workingMode);
    if (result < 0) throw failure("create", path, "mkdirat", result);
    directory.own.isMade = true;
    if (own.lower !== undefined) directories.describe(directory, { ...attributes, path, xattrs: own.lower.xattrs });
  }

  /** Removes what stands at a place, if anything does. Its directory is needed all the same: nothing else tells of the entry. */
  vacate(place: Place): void {
    const child = place.parent.child(place.name);
    if (child === undefined) this.#unlink(place);
    else this.#removeDirectory(child);
    this.#site.tree.hide(place.parent, place.name);
    this.made.delete(place.parent, place.name);
    place.parent.neededIn = this.layer;
  }

  #create(
    { parent, name, path }: Place,
    call: string,
    create: (directory: number, name: ByteString) => Result,
  ): Result {
    this.establish(parent);
    if (parent.own.lower !== undefined) this.#site.parents.linkMayBeGone();
    const child = parent.child(name);
    if (child !== undefined) {
      if (child.layer === this.layer) this.#tellDuplicate(path);
      this.#removeDirectory(child);
    }
    const { tree } = this.#site;
    const { handles } = tree;
    const handle = handles.of(parent);
    let result = create(handle, name);
    if (result === -errnos.EMFILE && handles.makeRoom()) result = create(handle, name);
    if (result === -errnos.EEXIST) {
      if (this.made.has(parent, name)) this.#tellDuplicate(path);
      this.#unlink({ parent, name, path });
      tree.hide(parent, name);
      result = create(handle, name);
    }
    if (result < 0) throw failure("create", path, call, result);
    return result;
  }

  #tellDuplicate(path: ByteString): void {
    this.#site.findings.repaired("DUPLICATE_ENTRY", "the layer names it twice; the later entry wins", path);
  }

  #removeDirectory(directory: DiskDirectory): void {
    const { parents, tree } = this.#site;
    const { parent, name, own } = directory;
    if (parent === undefined) throw new TypeError("the root is never removed");
    const handle = own.isMade ? tree.handles.of(parent) : -1;
    tree.forget(directory);
    parents.directoryIsGone();
    tree.hide(parent, name);
    if (own.isMade) removeTree(handle, name);
  }

  #unlink({ parent, name, path }: Place): void {
    const { parents, surroundings, tree } = this.#site;
    if (!parent.own.isMade) return;
    const handle = tree.handles.of(parent);
    const mayBeAnother = surroundings.foldsNames && typeof statAt(handle, name) !== "number";
    if (mayBeAnother) insistOnName(tree.handles.opened(parent), name, path);
    const result = unlinkAt(handle, name);
    if (result < 0 && result !== -errnos.ENOENT) throw failure("replace", path, "unlinkat", result);
    parents.linkMayBeGone();
  }
}

/** Insists that what the file system takes for a name bears that name, and not one of another spelling (rule T24). */
function insistOnName(directory: number, name: ByteString, path: ByteString): void {
  rewindEntries(directory);
  for (;;) {
    const entries = readEntries(directory);
    if (typeof entries === "number") throw failure("replace", path, "getdents64", entries);
    if (entries.some((entry) => entry.name === name)) return;
    if (entries.length > 0) continue;
    throw new OciUnpackError(
      "FILE_SYSTEM",
      `cannot create ${quoted(path)}: the file system takes it for another name`,
      {
        hint: "unpack into a file system that tells upper from lower case and one spelling of an accent from another",
        details: { path: textOf(path) },
      },
    );
  }
}
