import { constants } from "node:fs";
import type { DifferentPart } from "../base/option-words.ts";
import { Directory } from "../layer/directory.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { errnos, SystemError } from "../linux/errno.ts";
import { type Stat, statAt } from "../linux/stat.ts";
import { closeDescriptor, openUntouchedAt, readSymlinkAt } from "../linux/syscalls.ts";
import type { Rights } from "../linux/thread.ts";
import { Descent } from "../rootfs/descent.ts";
import { failure } from "../rootfs/failure.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import { isDevice } from "../tar/entry.ts";
import { nothing, type Selection } from "../tree/selection.ts";
import { fileOf, type TreeDirectory, type TreeFile, type TreeNode } from "../tree/tree-file.ts";
import { AttributeComparison, type AttributeStrictness, hasTime } from "./attribute-comparison.ts";
import type { ComparisonObserver } from "./comparison-observer.ts";
import { type DiskEntry, hasContent, succeeded } from "./disk-entry.ts";
import { LinkComparison } from "./link-comparison.ts";
import { type ComparedNames, type IsProven, NameComparison, noNames, type OpenDirectory } from "./name-comparison.ts";

/** What a comparison needs to know. */
export interface ComparisonOptions extends AttributeStrictness {
  readonly settings: RootfsSettings;
  readonly rights: Rights;
  /** The SHA-256 of a file's data in its archive, holes left out, in hexadecimal digits. */
  readonly digestOf: (file: TreeFile) => string | undefined;
  readonly observer: ComparisonObserver;
  /** What of the directory may be as it likes. Default: nothing. */
  readonly leftAlone?: Selection;
  /** Which of the names that are there need not be looked at, because that was done. Default: none. */
  readonly isProven?: IsProven;
  /** In which directories nothing but directories need be looked at, because that was done. Default: none. */
  readonly areFilesProven?: (directory: TreeDirectory) => boolean;
  /** What the directory is said to have been. Default: nobody says. */
  readonly hearsay?: Hearsay;
}

/** A tree that a directory is said to have been made of, and that is believed where sizes and times agree with it. */
export interface Hearsay {
  readonly root: TreeDirectory;
  /** Of how many of its layers, from the bottom up. Nothing is said of what others brought. Default: all. */
  readonly layers?: number | undefined;
  /** Whether the data of a file of that tree are those of the file that is expected. */
  readonly areSame: (said: TreeFile, expected: TreeFile) => boolean;
}

const rootPath = byteStringOf(".");

/** A directory whose children are being compared. */
interface Level {
  readonly directory: TreeDirectory;
  readonly path: ByteString;
  readonly leftAlone: Selection;
  /** What is said to have been there. */
  readonly said: TreeNode | undefined;
  /** The children that have not been compared yet. */
  readonly remaining: Iterator<readonly [ByteString, TreeNode]>;
}

/**
 * Compares a directory with a tree, name by name. It follows no symlinks, uses only names relative to open directories,
 * and changes nothing. Differences are reported at once, because there may be any number of them.
 *
 * A device of the tree may be a regular file in the directory, if the settings or the rights of whoever unpacked made
 * it one.
 */
export class Comparison {
  readonly #options: ComparisonOptions;
  readonly #attributes: AttributeComparison;
  readonly #links = new LinkComparison();
  readonly #names: NameComparison;
  readonly #mayLackDevices: boolean;
  #count = 0;

  constructor(options: ComparisonOptions) {
    this.#options = options;
    this.#mayLackDevices = options.settings.devices === "create" && !options.rights.isRoot;
    const mayLack = this.#mayLackDevices ? (node: TreeNode) => this.#mayLack(node) : undefined;
    this.#names = new NameComparison(mayLack, options.isProven);
    this.#attributes = new AttributeComparison(options.settings, options.rights, options);
  }

  /** How many files and directories of the tree were found in the directory. */
  get count(): number {
    return this.#count;
  }

  /** Compares the tree's root with an open directory, and then everything below, without recursion. */
  compare(root: TreeDirectory, descriptor: number): void {
    using descent = new Descent(descriptor, (call, result) =>
      failure("examine", levels.at(-1)?.path ?? rootPath, call, result),
    );
    const levels: Level[] = [];
    const enter = (node: TreeNode, name: ByteString, place: Omit<Level, "directory" | "remaining">) => {
      const { path, leftAlone, said } = place;
      const opened = this.#compareNode(node, { descriptor: descent.descriptor, name, path }, place);
      if (opened === undefined || !(node instanceof Directory)) return;
      descent.enter(opened.handle);
      levels.push({ path, leftAlone, said, directory: node, remaining: opened.remaining[Symbol.iterator]() });
    };
    const { leftAlone = nothing, hearsay } = this.#options;
    enter(root, rootPath, { path: rootPath, leftAlone, said: hearsay?.root });
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const { done, value: next } = level.remaining.next();
      if (done !== true) {
        const [name, node] = next;
        const below = level.leftAlone.below(name);
        if (below.isWanted) continue;
        const path = pathIn(level.directory, level.path, name);
        const said = level.said instanceof Directory ? level.said.child(name) : undefined;
        enter(node, name, { path, leftAlone: below, said });
        continue;
      }
      this.#options.observer.left?.(descent.descriptor);
      descent.leave();
      levels.pop();
    }
  }

  /** Compares what is at a name. Returns a directory whose children are to be compared. */
  #compareNode(
    node: TreeNode,
    entry: DiskEntry,
    { leftAlone, said }: Pick<Level, "leftAlone" | "said">,
  ): OpenedDirectory | undefined {
    try {
      const { descriptor, name, path } = entry;
      const stat = statAt(descriptor, name);
      if (stat === -errnos.ENOENT) {
        if (!this.#mayLack(node)) this.#options.observer.missing(node, entry);
        return undefined;
      }
      const found = succeeded(stat, path, "statx");
      this.#count += 1;
      if (node instanceof Directory && found.type === "directory")
        return this.#compareDirectory(node, found, entry, leftAlone);
      if (node instanceof Directory) this.#tellFound(node, entry, found, ["type"]);
      else this.#compareFile(node, found, entry, said);
    } catch (error) {
      if (!isDenied(error)) throw error;
      this.#options.observer.unreadable(node, entry);
    }
    return undefined;
  }

  #compareDirectory(
    directory: TreeDirectory,
    stat: Stat,
    entry: DiskEntry,
    leftAlone: Selection,
  ): OpenedDirectory | undefined {
    const { attributes } = directory;
    const { mode, uid, gid } = attributes;
    const stated = { type: "directory", mode, uid, gid, deviceMajor: 0, deviceMinor: 0 } as const;
    const isRoot = directory.parent === undefined;
    const parts = this.#attributes.differentParts(attributes, stated, { stat, entry, isRoot });
    const handle = openUntouchedAt(entry.descriptor, entry.name, constants.O_DIRECTORY);
    if (handle === -errnos.EACCES) {
      this.#tellFound(directory, entry, stat, parts, true);
      return undefined;
    }
    try {
      const { fileSystem } = stat;
      const opened = { directory, descriptor: handle, fileSystem, path: entry.path };
      const names = handle < 0 ? noNames : this.#namesIn(opened, leftAlone);
      // Names that were added or removed change the time of the directory. They are reported, so the time is not.
      this.#tellFound(directory, entry, stat, names.areSame ? parts : parts.filter((part) => part !== "time"));
      for (const { name, below } of names.surplus) {
        const path = pathIn(directory, entry.path, name);
        this.#options.observer.surplus({ descriptor: handle, name, path }, below);
      }
      succeeded(handle, entry.path, "openat(O_DIRECTORY)");
      return { handle, remaining: names.remaining };
    } catch (error) {
      if (handle >= 0) closeDescriptor(handle);
      throw error;
    }
  }

  #namesIn(opened: OpenDirectory, leftAlone: Selection): ComparedNames {
    const { directory } = opened;
    if (this.#options.areFilesProven?.(directory) !== true) return this.#names.compare(opened, leftAlone);
    const remaining = [...directory.directories()].map((child) => [child.name, child] as const);
    return { surplus: [], areSame: true, remaining };
  }

  #compareFile(node: Exclude<TreeNode, TreeDirectory>, stat: Stat, entry: DiskEntry, said: TreeNode | undefined): void {
    const file = fileOf(node);
    const isStandIn = this.#isStandIn(file, stat);
    if (!isStandIn && !this.#isOfItsType(file, stat)) return this.#tellFound(node, entry, stat, ["type"]);
    const parts = this.#attributes.differentParts(file, file, { stat, entry, isStandIn });
    if (!isStandIn) addDifferentNature(parts, file, stat, entry);
    if (!this.#links.areRight(file, stat)) parts.push("links");
    let isUnreadable = false;
    if (stat.type === "file") {
      try {
        this.#addDifferentContent(parts, file, stat, entry, said);
      } catch (error) {
        if (!isDenied(error)) throw error;
        isUnreadable = true;
      }
    }
    this.#tellFound(node, entry, stat, parts, isUnreadable);
  }

  #isOfItsType(file: TreeFile, stat: Stat): boolean {
    return file.type === stat.type && !(isDevice(file) && this.#options.settings.devices === "placeholder");
  }

  #isStandIn(file: TreeFile, stat: Stat): boolean {
    const { settings, rights } = this.#options;
    if (!isDevice(file) || stat.type !== "file") return false;
    return settings.devices === "placeholder" || (settings.recordOwners === true && !rights.isRoot);
  }

  #addDifferentContent(
    parts: DifferentPart[],
    file: TreeFile,
    stat: Stat,
    entry: DiskEntry,
    said: TreeNode | undefined,
  ): void {
    if (stat.sizeBytes !== file.sizeBytes) parts.push("size", "content");
    else if (file.sizeBytes > 0 && !this.#isSameContent(file, stat, entry, said)) parts.push("content");
  }

  #isSameContent(file: TreeFile, stat: Stat, entry: DiskEntry, said: TreeNode | undefined): boolean {
    const { hearsay, digestOf } = this.#options;
    if (hearsay !== undefined && isSaid(said, hearsay)) {
      const one = fileOf(said);
      const isBelieved = one.type === "file" && one.sizeBytes === stat.sizeBytes && hasTime(one.mtime, stat.mtime);
      if (isBelieved) return hearsay.areSame(one, file);
    }
    const digest = digestOf(file);
    return digest !== undefined && hasContent(entry, file, digest);
  }

  /** Whether something may be missing because whoever unpacked could not make it: only root makes devices. */
  #mayLack(node: TreeNode): boolean {
    return this.#mayLackDevices && !(node instanceof Directory) && isDevice(fileOf(node));
  }

  #tellFound(
    node: TreeNode,
    entry: DiskEntry,
    stat: Stat,
    parts: readonly DifferentPart[],
    isUnreadable = false,
  ): void {
    this.#options.observer.found(node, entry, { stat, parts, isUnreadable });
  }
}

/** Whether a file is said to be there. */
function isSaid(said: TreeNode | undefined, { layers = Infinity }: Hearsay): said is Exclude<TreeNode, TreeDirectory> {
  return said !== undefined && !(said instanceof Directory) && said.layer < layers;
}

/** An open directory whose children are to be compared. */
interface OpenedDirectory extends Pick<ComparedNames, "remaining"> {
  readonly handle: number;
}

/** Whether something needs rights that this user does not have. */
function isDenied(error: unknown): boolean {
  return error instanceof SystemError && error.errno === "EACCES";
}

/** Compares the target of a symlink, and the number of a device. */
function addDifferentNature(parts: DifferentPart[], file: TreeFile, stat: Stat, { descriptor, name }: DiskEntry): void {
  if (file.type === "symlink") {
    if (readSymlinkAt(descriptor, name) !== file.linkPath) parts.push("target");
  } else if (isDevice(file)) {
    const isSame = file.deviceMajor === stat.deviceMajor && file.deviceMinor === stat.deviceMinor;
    if (!isSame) parts.push("device");
  }
}

function pathIn({ parent }: TreeDirectory, path: ByteString, name: ByteString): ByteString {
  return parent === undefined ? name : (`${path}/${name}` as ByteString);
}
