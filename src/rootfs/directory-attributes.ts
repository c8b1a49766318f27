import type { Memory } from "../base/memory-budget.ts";
import type { Attributes } from "../layer/directory.ts";
import type { Findings } from "../layer/findings.ts";
import { pathIn } from "../layer/paths.ts";
import { changeMode, changeOwner, changeOwnerAt, changeTimes, changeTimesAt } from "../linux/attributes.ts";
import { statAt, statOf } from "../linux/stat.ts";
import { setXattr } from "../linux/xattrs.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import type { Timestamp } from "../tar/entry.ts";
import { bytesOfAttributes, type DiskDirectory } from "./disk-directory.ts";
import type { DiskXattrs, XattrValues } from "./disk-xattrs.ts";
import { failure } from "./failure.ts";
import type { FileSystemTraits } from "./file-system-probe.ts";
import type { Handles } from "./handles.ts";
import { type Metadata, setTimes } from "./metadata.ts";
import type { Owners, Stated } from "./owners.ts";

const acls = ["system.posix_acl_default", "system.posix_acl_access"].map(byteStringOf);

/** What an entry says of a directory. */
export interface DescribedDirectory extends Attributes {
  readonly path: ByteString;
}

/** What directory attributes need of the rest. */
export interface DirectoryAttributesParts {
  readonly handles: Handles;
  readonly fileSystem: FileSystemTraits;
  readonly owners: Owners;
  readonly xattrs: DiskXattrs;
  readonly metadata: Metadata;
  readonly findings: Findings;
  readonly implied: Attributes;
  readonly memory: Memory;
}

/**
 * The attributes of directories.
 *
 * Owner, mode, times and access-control lists are kept until all layers are applied: children change their directory's
 * time, a mode may forbid to make them, and set-group-ID or a default ACL would be passed on to them.
 */
export class DirectoryAttributes {
  readonly #parts: DirectoryAttributesParts;

  constructor(parts: DirectoryAttributesParts) {
    this.#parts = parts;
  }

  /** The mode to make a directory with: its own, as far as entries can be made in it meanwhile. */
  workingMode(mode: number): number {
    return (mode & 0o777) | 0o700;
  }

  /** Replaces all attributes by those of an entry. */
  describe(directory: DiskDirectory, entry: DescribedDirectory): void {
    const { mode, uid, gid, mtime, atime } = entry;
    this.#clearXattrs(directory);
    directory.attributes = { mode: mode & 0o7777, uid, gid, mtime, atime };
    if (entry.xattrs === undefined) return;
    const handle = this.#parts.handles.opened(directory);
    directory.own.hasXattrs = true;
    this.#keepAcls(directory, entry.xattrs);
    const others = new Map([...entry.xattrs].filter(([name]) => !acls.includes(name)));
    this.#parts.xattrs.set(entry.path, others, (name, value) => setXattr(handle, name, value));
  }

  /** Replaces all attributes by those of a directory that no entry describes. */
  reset(directory: DiskDirectory): void {
    this.#clearXattrs(directory);
    directory.attributes = this.#parts.implied;
  }

  /**
   * Gives the root and every directory below it what it is to have in the end: children first, while they can be
   * reached.
   */
  finish(root: DiskDirectory): void {
    const levels: Level[] = [levelOf(root, nothing)];
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const { directory, path, remaining } = level;
      const { done, value: child } = remaining.next();
      if (done !== true) {
        if (child.own.isMade) levels.push(levelOf(child, pathIn(path, child.name)));
        continue;
      }
      levels.pop();
      if (directory.parent === undefined) this.#finishRoot(directory);
      else this.#finish(directory, directory.parent, path);
    }
  }

  #finish(directory: DiskDirectory, parent: DiskDirectory, path: ByteString): void {
    const { handles, owners, findings } = this.#parts;
    const { name, attributes } = directory;
    const chown = (uid: number, gid: number) => changeOwnerAt(handles.of(parent), name, uid, gid);
    if (!owners.give(path, attributes, chown)) {
      owners.record(path, statedOf(attributes), (xattr, value) => setXattr(handles.opened(directory), xattr, value));
    }
    this.#finishMode(directory, path);
    const access = {
      setTimes: (atime: Timestamp, mtime: Timestamp) => changeTimesAt(handles.of(parent), name, atime, mtime),
      stat: () => statAt(handles.of(parent), name),
    };
    setTimes(path, attributes, access, findings);
    handles.release(directory);
  }

  #finishRoot(root: DiskDirectory): void {
    const { handles, owners, findings } = this.#parts;
    const handle = handles.of(root);
    const present = statOf(handle);
    if (typeof present === "number") throw failure("examine", rootPath, "statx", present);
    // It was not made here, and may have its group from where it stands.
    const chown = (uid: number, gid: number) => changeOwner(handle, uid, gid);
    if (!owners.give(rootPath, root.attributes, chown, present)) {
      owners.recordRoot(rootPath, statedOf(root.attributes), (name, value) => setXattr(handle, name, value));
    }
    this.#finishMode(root, rootPath);
    const access = {
      setTimes: (atime: Timestamp, mtime: Timestamp) => changeTimes(handle, atime, mtime),
      stat: () => statOf(handle),
    };
    setTimes(rootPath, root.attributes, access, findings);
  }

  #finishMode(directory: DiskDirectory, path: ByteString): void {
    const { handles, metadata, fileSystem, xattrs } = this.#parts;
    const { mode } = directory.attributes;
    if (!fileSystem.keepsModes || mode !== directory.own.workingMode) {
      const handle = handles.opened(directory);
      const result = changeMode(handle, mode);
      if (result < 0) throw failure("set the mode of", path, "fchmod", result);
      if ((mode & ~0o777) !== 0) metadata.checkMode(path, mode, statOf(handle));
    }
    const values = directory.own.acls;
    if (values !== undefined)
      xattrs.set(path, values, (name, value) => setXattr(handles.opened(directory), name, value));
  }

  #keepAcls(directory: DiskDirectory, values: XattrValues): void {
    const kept = new Map([...values].filter(([name]) => acls.includes(name)));
    if (kept.size === 0) return;
    this.#parts.memory.spend(bytesOfAttributes(kept), "access-control lists of directories");
    directory.own.acls = kept;
  }

  #clearXattrs(directory: DiskDirectory): void {
    if (!directory.own.hasXattrs) return;
    this.#parts.xattrs.clear(this.#parts.handles.opened(directory), directory.path);
    directory.own.hasXattrs = false;
    if (directory.own.acls === undefined) return;
    this.#parts.memory.release(bytesOfAttributes(directory.own.acls));
    directory.own.acls = undefined;
  }
}

const rootPath = byteStringOf(".");
const nothing = byteStringOf("");

/** A directory whose children are being finished. */
interface Level {
  readonly directory: DiskDirectory;
  /** For messages. Putting it together again for each directory would take as long as all paths are deep. */
  readonly path: ByteString;
  readonly remaining: Iterator<DiskDirectory, undefined>;
}

function levelOf(directory: DiskDirectory, path: ByteString): Level {
  return { directory, path, remaining: directory.directories()[Symbol.iterator]() };
}

function statedOf(attributes: Attributes): Stated {
  return { ...attributes, type: "directory", deviceMajor: 0, deviceMinor: 0 };
}
