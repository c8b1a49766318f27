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
import type { Entry } from "../tar/entry.ts";
import type { Findings } from "./findings.ts";
import type { Owners } from "./owners.ts";
import { failure } from "./refusal.ts";
import type { Surroundings } from "./surroundings.ts";
import { setTimes, type TimesAccess } from "./times.ts";
import type { Xattrs } from "./xattrs.ts";

/** Set-user-ID, set-group-ID and sticky: what no file is made with, and what a change of owner takes away. */
const specialBits = 0o7000;
const setGroupId = 0o2000;

/** How a file is changed and looked at: by its handle, or by its name in a directory. */
interface Access extends TimesAccess {
  chmod(mode: number): Result;
}

/** Setting a user's extended attributes takes the right to write to the file. */
function workingMode({ mode, xattrs }: Pick<Entry, "mode" | "xattrs">): number {
  return (mode & 0o7777) | (xattrs === undefined ? 0 : 0o600);
}

/**
 * Gives files their owner, mode, extended attributes and times: in this order, because each step may undo a later one.
 *
 * A step is left out only where the kernel made the file so.
 */
export class Metadata {
  readonly #surroundings: Surroundings;
  readonly #owners: Owners;
  readonly #xattrs: Xattrs;
  readonly #findings: Findings;

  constructor(surroundings: Surroundings, owners: Owners, xattrs: Xattrs, findings: Findings) {
    this.#surroundings = surroundings;
    this.#owners = owners;
    this.#xattrs = xattrs;
    this.#findings = findings;
  }

  /** The permission bits to make a file with. */
  newMode(entry: Pick<Entry, "mode" | "xattrs">): number {
    return workingMode(entry) & ~specialBits;
  }

  /** Completes a regular file that was just made with `newMode` and is open for writing. */
  completeFile(file: number, entry: Entry): void {
    const { path, xattrs } = entry;
    const access: Access = {
      chmod: (mode) => changeMode(file, mode),
      setTimes: (atime, mtime) => changeTimes(file, atime, mtime),
      stat: () => statOf(file),
    };
    this.#owners.give(path, entry, (uid, gid) => changeOwner(file, uid, gid));
    this.#setMode(entry, access);
    if (xattrs !== undefined) {
      this.#xattrs.set(path, xattrs, (name, value) => setXattr(file, name, value));
      this.#narrowMode(entry, access);
    }
    setTimes(path, entry, access, this.#findings);
  }

  /** Completes a symlink, fifo or device. It has no handle: opening it would do something, or follow it. */
  completeNode(directory: number, name: ByteString, entry: Entry): void {
    const { path, type, xattrs } = entry;
    const access: Access = {
      chmod: (mode) => changeModeAt(directory, name, mode),
      setTimes: (atime, mtime) => changeTimesAt(directory, name, atime, mtime),
      stat: () => statAt(directory, name),
    };
    this.#owners.give(path, entry, (uid, gid) => changeOwnerAt(directory, name, uid, gid));
    if (type !== "symlink") this.#setMode(entry, access);
    if (xattrs !== undefined) {
      this.#xattrs.set(path, xattrs, (xattr, value) => setXattrAt(directory, name, xattr, value));
      if (type !== "symlink") this.#narrowMode(entry, access);
    }
    setTimes(path, entry, access, this.#findings);
  }

  /** Sets the mode, unless the kernel made the file with it. */
  #setMode(entry: Entry, { chmod, stat }: Access): void {
    const mode = workingMode(entry);
    if (this.#surroundings.keepsModes && (mode & specialBits) === 0) return;
    const result = chmod(mode);
    if (result < 0) throw failure("set the mode of", entry.path, "fchmod", result);
    if ((mode & specialBits) !== 0) this.checkMode(entry.path, mode, stat());
  }

  /** Takes from the owner again what setting extended attributes needed. */
  #narrowMode(entry: Entry, { chmod }: Access): void {
    const mode = entry.mode & 0o7777;
    const result = mode === workingMode(entry) ? 0 : chmod(mode);
    if (result < 0) throw failure("set the mode of", entry.path, "fchmod", result);
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
