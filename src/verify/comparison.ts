import { constants } from "node:fs";
import type { DifferentPart } from "../base/option-words.ts";
import { Directory } from "../layer/directory.ts";
import { failure } from "../layer/findings.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { readEntries } from "../linux/directory-entries.ts";
import { errnos, SystemError } from "../linux/errno.ts";
import { type Stat, statAt } from "../linux/stat.ts";
import { closeDescriptor, openUntouchedAt, readSymlinkAt } from "../linux/syscalls.ts";
import type { Rights } from "../linux/thread.ts";
import { Descent } from "../rootfs/descent.ts";
import { type ByteString, byteStringOf, textOf } from "../tar/byte-string.ts";
import { fileOf, type TreeDirectory, type TreeFile, type TreeNode } from "../tree/tree-file.ts";
import { AttributeComparison } from "./attribute-comparison.ts";
import type { Difference } from "./difference.ts";
import { type DiskEntry, hasContent, succeeded } from "./disk-entry.ts";

/** What a comparison needs to know. */
export interface ComparisonOptions {
  readonly settings: RootfsSettings;
  readonly rights: Rights;
  /** The digests of the files' data in the archives, by the file's `content`. */
  readonly digests: { get(content: number): string | undefined };
  /** Is called with each difference. */
  readonly tell: (difference: Difference) => void;
}

const rootPath = byteStringOf(".");

/** A directory whose children are being compared. */
interface Level {
  readonly directory: TreeDirectory;
  readonly path: ByteString;
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
  readonly #links = new Links();
  #count = 0;

  constructor(options: ComparisonOptions) {
    this.#options = options;
    this.#attributes = new AttributeComparison(options.settings, options.rights);
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
    const enter = (node: TreeNode, name: ByteString, path: ByteString) => {
      const handle = this.#compareNode(node, { descriptor: descent.descriptor, name, path });
      if (handle === undefined || !(node instanceof Directory)) return;
      descent.enter(handle);
      levels.push({ directory: node, path, remaining: node.children()[Symbol.iterator]() });
    };
    enter(root, rootPath, rootPath);
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const { done, value: next } = level.remaining.next();
      if (done !== true) {
        const [name, node] = next;
        enter(node, name, pathIn(level.directory, level.path, name));
        continue;
      }
      descent.leave();
      levels.pop();
    }
  }

  /** Compares what is at a name. Returns the descriptor of a directory whose children are to be compared. */
  #compareNode(node: TreeNode, entry: DiskEntry): number | undefined {
    const { descriptor, name, path } = entry;
    return this.#ifReadable(path, () => {
      const stat = statAt(descriptor, name);
      if (stat === -errnos.ENOENT) {
        this.#tellMissing(node, path);
        return undefined;
      }
      const found = succeeded(stat, path, "statx");
      this.#count += 1;
      if (node instanceof Directory && found.type === "directory") return this.#compareDirectory(node, found, entry);
      if (node instanceof Directory) this.#tellChanged(path, ["type"]);
      else this.#compareFile(fileOf(node), found, entry);
      return undefined;
    });
  }

  #compareDirectory(directory: TreeDirectory, stat: Stat, entry: DiskEntry): number {
    const { attributes } = directory;
    const stated = { ...attributes, type: "directory", deviceMajor: 0, deviceMinor: 0 } as const;
    const isRoot = directory.parent === undefined;
    const parts = this.#attributes.differentParts(attributes, stated, { stat, entry, isRoot });
    const handle = openUntouchedAt(entry.descriptor, entry.name, constants.O_DIRECTORY);
    try {
      const hasOtherNames = handle >= 0 && this.#compareNames(directory, handle, entry.path);
      // Names that were added or removed change the time of the directory. They are reported, so the time is not.
      this.#tellChanged(entry.path, hasOtherNames ? parts.filter((part) => part !== "time") : parts);
      return succeeded(handle, entry.path, "openat(O_DIRECTORY)");
    } catch (error) {
      if (handle >= 0) closeDescriptor(handle);
      throw error;
    }
  }

  /** Reports names that the tree does not have. Returns whether names were added or are missing. */
  #compareNames(directory: TreeDirectory, descriptor: number, path: ByteString): boolean {
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

  #compareFile(file: TreeFile, stat: Stat, entry: DiskEntry): void {
    const isStandIn = this.#isStandIn(file, stat);
    if (!isStandIn && !this.#isOfItsType(file, stat)) return this.#tellChanged(entry.path, ["type"]);
    const parts = this.#attributes.differentParts(file, file, { stat, entry, isStandIn });
    if (!isStandIn) parts.push(...differentNature(file, stat, entry));
    if (!this.#links.areRight(file, stat)) parts.push("links");
    if (stat.type === "file") {
      this.#ifReadable(entry.path, () => parts.push(...this.#differentContent(file, stat, entry)));
    }
    this.#tellChanged(entry.path, parts);
  }

  #isOfItsType(file: TreeFile, stat: Stat): boolean {
    return file.type === stat.type && !(isDevice(file) && this.#options.settings.devices === "placeholder");
  }

  #isStandIn(file: TreeFile, stat: Stat): boolean {
    const { settings, rights } = this.#options;
    if (!isDevice(file) || stat.type !== "file") return false;
    return settings.devices === "placeholder" || (settings.recordOwners === true && !rights.isRoot);
  }

  #differentContent(file: TreeFile, stat: Stat, entry: DiskEntry): DifferentPart[] {
    if (stat.sizeBytes !== file.sizeBytes) return ["size", "content"];
    const digest = this.#options.digests.get(file.content);
    return file.sizeBytes === 0 || (digest !== undefined && hasContent(entry, file, digest)) ? [] : ["content"];
  }

  /** Does something that may need rights which this user does not have. Then it reports `unreadable`. */
  #ifReadable<Result>(path: ByteString, work: () => Result): Result | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof SystemError && error.errno === "EACCES")) throw error;
      this.#options.tell({ kind: "unreadable", path: textOf(path) });
      return undefined;
    }
  }

  #tellMissing(node: TreeNode, path: ByteString): void {
    if (!this.#mayLack(node)) this.#options.tell({ kind: "missing", path: textOf(path) });
  }

  /** Whether something may be missing because whoever unpacked could not make it: only root makes devices. */
  #mayLack(node: TreeNode): boolean {
    const { settings, rights } = this.#options;
    if (node instanceof Directory || settings.devices !== "create" || rights.isRoot) return false;
    return isDevice(fileOf(node));
  }

  #tellChanged(path: ByteString, parts: readonly DifferentPart[]): void {
    if (parts.length > 0) this.#options.tell({ kind: "changed", path: textOf(path), parts });
  }
}

/**
 * Compares which names are the same file. A file may have further names outside of the tree, but not one that is
 * another file in the tree.
 */
class Links {
  readonly #identities = new Map<TreeFile, string>();
  readonly #files = new Map<string, TreeFile>();

  /**
   * Whether the file at a name is the same file as at those names before it where the tree says so, and at no others.
   */
  areRight(file: TreeFile, { identity, nameCount }: Stat): boolean {
    if (!file.isLinked && nameCount === 1) return true;
    const known = this.#identities.get(file) ?? identity;
    const same = this.#files.get(identity) ?? file;
    this.#identities.set(file, known);
    this.#files.set(identity, same);
    return known === identity && same === file;
  }
}

/** Compares the target of a symlink, and the number of a device. */
function differentNature(file: TreeFile, stat: Stat, { descriptor, name }: DiskEntry): DifferentPart[] {
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

function pathIn({ parent }: TreeDirectory, path: ByteString, name: ByteString): ByteString {
  return parent === undefined ? name : (`${path}/${name}` as ByteString);
}
