import { constants } from "node:fs";
import { readEntries } from "../linux/directory-entries.ts";
import { errnos, SystemError } from "../linux/errno.ts";
import type { Rights } from "../linux/rights.ts";
import { type Stat, statAt } from "../linux/stat.ts";
import { closeDescriptor, readSymlinkAt } from "../linux/syscalls.ts";
import type { RootfsSettings } from "../rootfs/site.ts";
import { type ByteString, byteStringOf, textOf } from "../tar/byte-string.ts";
import { Directory, type Node } from "../tree/directory.ts";
import { fileOf, type TreeFile } from "../tree/tree-file.ts";
import { AttributeComparison } from "./attributes.ts";
import { hasContent } from "./content.ts";
import type { Difference, DifferentPart } from "./differences.ts";
import { Links } from "./links.ts";
import { openUntouched, type PlaceOnDisk, succeeded } from "./place-on-disk.ts";

export interface ComparisonOptions {
  readonly settings: RootfsSettings;
  readonly rights: Rights;
  /** The digest of what an archive has of a file, by the file's `content`. */
  readonly digests: { get(content: number): string | undefined };
  readonly tell: (difference: Difference) => void;
}

const rootPath = byteStringOf(".");

/**
 * Compares a directory with a tree, name by name. Nothing is followed, every name is relative to an open directory, and
 * nothing is changed. What there may be too much of on the disk is told, and not held.
 *
 * A device in the tree is a file in the directory where the settings, or the rights of whoever unpacked, made it one.
 */
export class Comparison {
  readonly #options: ComparisonOptions;
  readonly #attributes: AttributeComparison;
  readonly #links = new Links();
  #count = 0;

  constructor(options: ComparisonOptions) {
    this.#options = options;
    this.#attributes = new AttributeComparison(options.settings, options.rights);
  }

  /** How many files and directories of the tree are there. */
  get count(): number {
    return this.#count;
  }

  /** Compares the tree's root with an open directory. */
  compare(root: Directory, descriptor: number): void {
    this.#compareNode(root, { descriptor, name: rootPath, path: rootPath });
  }

  #compareNode(node: Node, place: PlaceOnDisk): void {
    const { descriptor, name, path } = place;
    this.#ifReadable(path, () => {
      const stat = statAt(descriptor, name);
      if (stat === -errnos.ENOENT) return this.#tellMissing(node, path);
      const found = succeeded(stat, path, "statx");
      this.#count += 1;
      if (!(node instanceof Directory)) this.#compareFile(fileOf(node), found, place);
      else if (found.type === "directory") this.#compareDirectory(node, found, place);
      else this.#tellChanged(path, ["type"]);
    });
  }

  #compareDirectory(directory: Directory, stat: Stat, place: PlaceOnDisk): void {
    const { attributes } = directory;
    const stated = { ...attributes, type: "directory", deviceMajor: 0, deviceMinor: 0 } as const;
    const isRoot = directory.parent === undefined;
    const parts = this.#attributes.differentParts(attributes, stated, { stat, place, isRoot });
    const handle = openUntouched(place, constants.O_DIRECTORY);
    try {
      const hasOtherNames = handle >= 0 && this.#compareNames(directory, handle, place.path);
      // That names came or went is told of each: the time of their directory follows from it.
      this.#tellChanged(place.path, hasOtherNames ? parts.filter((part) => part !== "time") : parts);
      this.#compareChildren(directory, succeeded(handle, place.path, "openat(O_DIRECTORY)"), place.path);
    } finally {
      if (handle >= 0) closeDescriptor(handle);
    }
  }

  /** Tells of names that the tree does not have, and gives whether there are others than it has. */
  #compareNames(directory: Directory, descriptor: number, path: ByteString): boolean {
    const unseen = new Set([...directory.children()].flatMap(([name, node]) => (this.#mayLack(node) ? [] : [name])));
    let hasOthers = false;
    for (const name of namesIn(descriptor, path)) {
      unseen.delete(name);
      if (directory.child(name) !== undefined) continue;
      hasOthers = true;
      this.#options.tell({ kind: "added", path: textOf(pathIn(directory, path, name)) });
    }
    return hasOthers || unseen.size > 0;
  }

  #compareChildren(directory: Directory, descriptor: number, parent: ByteString): void {
    for (const [name, node] of directory.children()) {
      this.#compareNode(node, { descriptor, name, path: pathIn(directory, parent, name) });
    }
  }

  #compareFile(file: TreeFile, stat: Stat, place: PlaceOnDisk): void {
    const isStandIn = this.#isStandIn(file, stat);
    if (!isStandIn && !this.#isOfItsType(file, stat)) return this.#tellChanged(place.path, ["type"]);
    const parts = this.#attributes.differentParts(file, file, { stat, place, isStandIn });
    if (!isStandIn) parts.push(...differentNature(file, stat, place));
    if (!this.#links.areRight(file, stat)) parts.push("links");
    if (stat.type === "file") {
      this.#ifReadable(place.path, () => parts.push(...this.#differentContent(file, stat, place)));
    }
    this.#tellChanged(place.path, parts);
  }

  #isOfItsType(file: TreeFile, stat: Stat): boolean {
    return file.type === stat.type && !(isDevice(file) && this.#options.settings.devices === "placeholder");
  }

  #isStandIn(file: TreeFile, stat: Stat): boolean {
    const { settings, rights } = this.#options;
    if (!isDevice(file) || stat.type !== "file") return false;
    return settings.devices === "placeholder" || (settings.recordOwners === true && !rights.isRoot);
  }

  #differentContent(file: TreeFile, stat: Stat, place: PlaceOnDisk): DifferentPart[] {
    if (stat.sizeBytes !== file.sizeBytes) return ["size", "content"];
    const digest = this.#options.digests.get(file.content);
    return file.sizeBytes === 0 || (digest !== undefined && hasContent(place, file, digest)) ? [] : ["content"];
  }

  /** Does what may turn out to be forbidden to this user. */
  #ifReadable(path: ByteString, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof SystemError && error.errno === "EACCES")) throw error;
      this.#options.tell({ kind: "unreadable", path: textOf(path) });
    }
  }

  #tellMissing(node: Node, path: ByteString): void {
    if (!this.#mayLack(node)) this.#options.tell({ kind: "missing", path: textOf(path) });
  }

  /** Whether something could not be made: only root makes devices. */
  #mayLack(node: Node): boolean {
    const { settings, rights } = this.#options;
    if (node instanceof Directory || settings.devices !== "create" || rights.isRoot) return false;
    return isDevice(fileOf(node));
  }

  #tellChanged(path: ByteString, parts: readonly DifferentPart[]): void {
    if (parts.length > 0) this.#options.tell({ kind: "changed", path: textOf(path), parts });
  }
}

/** What a symlink or a device is, besides its attributes. */
function differentNature(file: TreeFile, stat: Stat, { descriptor, name }: PlaceOnDisk): DifferentPart[] {
  if (file.type === "symlink") return readSymlinkAt(descriptor, name) === file.linkPath ? [] : ["target"];
  if (!isDevice(file)) return [];
  return file.deviceMajor === stat.deviceMajor && file.deviceMinor === stat.deviceMinor ? [] : ["device"];
}

function isDevice({ type }: TreeFile): boolean {
  return type === "character-device" || type === "block-device";
}

function* namesIn(descriptor: number, path: ByteString): Iterable<ByteString> {
  for (;;) {
    const entries = succeeded(readEntries(descriptor), path, "getdents64");
    if (entries.length === 0) return;
    for (const { name } of entries) yield name;
  }
}

function pathIn({ parent }: Directory, path: ByteString, name: ByteString): ByteString {
  return parent === undefined ? name : (`${path}/${name}` as ByteString);
}
