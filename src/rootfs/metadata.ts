import type { Attributes } from "../layer/directory.ts";
import type { Findings } from "../layer/findings.ts";
import {
  changeMode,
  changeModeAt,
  changeOwner,
  changeOwnerAt,
  changeTimes,
  changeTimesAt,
} from "../linux/attributes.ts";
import type { Result } from "../linux/libc.ts";
import { type Stat, statAt, statOf } from "../linux/stat.ts";
import { setXattr, setXattrAt } from "../linux/xattrs.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { Entry, Timestamp } from "../tar/entry.ts";
import { earliestSeconds, latestSeconds } from "../tar/numbers.ts";
import type { DiskXattrs } from "./disk-xattrs.ts";
import { failure } from "./failure.ts";
import type { FileSystemTraits } from "./file-system-probe.ts";
import type { Owners } from "./owners.ts";

/** Set-user-ID, set-group-ID and sticky: what no file is made with, and what a change of owner takes away. */
const specialBits = 0o7000;
const setGroupId = 0o2000;

/** How a file is changed and looked at: by its handle, or by its name in a directory. */
interface Access extends TimesAccess {
  chown(uid: number, gid: number): Result;
  chmod(mode: number): Result;
  setXattr(name: ByteString, value: Uint8Array): Result;
}

/**
 * Gives files their owner, mode, extended attributes and times: in this order, because each step may undo a later one.
 *
 * A step is left out only where the kernel made the file so.
 */
export class Metadata {
  readonly #fileSystem: FileSystemTraits;
  readonly #owners: Owners;
  readonly #xattrs: DiskXattrs;
  readonly #findings: Findings;

  constructor(fileSystem: FileSystemTraits, owners: Owners, xattrs: DiskXattrs, findings: Findings) {
    this.#fileSystem = fileSystem;
    this.#owners = owners;
    this.#xattrs = xattrs;
    this.#findings = findings;
  }

  /** The permission bits to make a file with. */
  newMode(entry: Entry): number {
    return this.#workingMode(entry) & ~specialBits;
  }

  /** Completes a regular file that was just made with `newMode` and is open for writing. It may stand for a device. */
  completeFile(file: number, entry: Entry): void {
    const access: Access = {
      chown: (uid, gid) => changeOwner(file, uid, gid),
      chmod: (mode) => changeMode(file, mode),
      setXattr: (name, value) => setXattr(file, name, value),
      setTimes: (atime, mtime) => changeTimes(file, atime, mtime),
      stat: () => statOf(file),
    };
    this.#complete(entry, access, entry.type !== "file");
  }

  /** Completes a symlink, fifo or device. It has no handle: opening it would do something, or follow it. */
  completeNode(directory: number, name: ByteString, entry: Entry): void {
    const access: Access = {
      chown: (uid, gid) => changeOwnerAt(directory, name, uid, gid),
      chmod: (mode) => changeModeAt(directory, name, mode),
      setXattr: (xattr, value) => setXattrAt(directory, name, xattr, value),
      setTimes: (atime, mtime) => changeTimesAt(directory, name, atime, mtime),
      stat: () => statAt(directory, name),
    };
    this.#complete(entry, access, false);
  }

  #complete(entry: Entry, access: Access, isStandIn: boolean): void {
    const { path, type, xattrs } = entry;
    const hasOwner = this.#owners.give(path, entry, access.chown);
    const mode = this.#workingMode(entry);
    if (type !== "symlink") this.#setMode(path, mode, access);
    if (xattrs !== undefined) this.#xattrs.set(path, xattrs, access.setXattr);
    if (!hasOwner || isStandIn) this.#owners.record(path, entry, access.setXattr);
    // What setting extended attributes needed is taken from the owner again.
    if (type !== "symlink" && mode !== (entry.mode & 0o7777)) this.#chmod(path, entry.mode & 0o7777, access);
    setTimes(path, entry, access, this.#findings);
  }

  /** The mode while a file is completed. Setting a user's extended attributes takes the right to write to it. */
  #workingMode(entry: Entry): number {
    const isWritten = entry.xattrs !== undefined || this.#owners.mayRecord(entry);
    return (entry.mode & 0o7777) | (isWritten ? 0o600 : 0);
  }

  /** Sets the mode, unless the kernel made the file with it. */
  #setMode(path: ByteString, mode: number, access: Access): void {
    const hasSpecialBits = (mode & specialBits) !== 0;
    if (this.#fileSystem.keepsModes && !hasSpecialBits) return;
    this.#chmod(path, mode, access);
    if (hasSpecialBits) this.checkMode(path, mode, access.stat());
  }

  #chmod(path: ByteString, mode: number, { chmod }: Access): void {
    const result = chmod(mode);
    if (result < 0) throw failure("set the mode of", path, "fchmod", result);
  }

  /** Tells where the kernel dropped bits without a word: set-group-ID, for one, of a group that this user is not in. */
  checkMode(path: ByteString, mode: number, stat: Stat | Result): void {
    if (typeof stat === "number" || stat.mode === mode) return;
    if ((mode & ~stat.mode & setGroupId) !== 0) {
      this.#findings.repaired("SETGID_DROPPED", "the kernel dropped the set-group-ID bit", path);
    }
    this.#findings.skipped(path, "mode", `the mode is ${stat.mode.toString(8)} instead of ${mode.toString(8)}`);
  }
}

/** How a file's times are set and looked at. */
interface TimesAccess {
  setTimes(atime: Timestamp, mtime: Timestamp): Result;
  stat(): Stat | Result;
}

/**
 * Sets the time of modification, and with it that of access where the archive does not state one.
 *
 * A file system moves times that it cannot store to the nearest it can, and says nothing. Far ones are looked at again.
 */
export function setTimes(
  path: ByteString,
  { mtime, atime = mtime }: Pick<Attributes, "mtime" | "atime">,
  access: TimesAccess,
  findings: Findings,
): void {
  const result = access.setTimes(atime, mtime);
  if (result < 0) throw failure("set the times of", path, "utimensat", result);
  if (mtime.seconds >= earliestSeconds && mtime.seconds <= latestSeconds) return;
  const stat = access.stat();
  if (typeof stat === "number" || stat.mtime.seconds === mtime.seconds) return;
  findings.repaired("TIME_CLAMPED", `this file system cannot store the time ${mtime.seconds}`, path);
  findings.skipped(path, "times", `this file system stores ${stat.mtime.seconds} for ${mtime.seconds}`);
}
