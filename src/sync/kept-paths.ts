import { OciUnpackError } from "../base/errors.ts";
import { quoted } from "../layer/findings.ts";
import { changeModeAt, changeOwnerAt, changeTimesAt } from "../linux/attributes.ts";
import { errnos } from "../linux/errno.ts";
import { type Stat, statAt } from "../linux/stat.ts";
import {
  makeDirectoryAt,
  makeLinkAt,
  openDirectoryAt,
  openDirectoryBeneath,
  removeDirectoryAt,
} from "../linux/syscalls.ts";
import { listXattrsAt, readXattrAt, setXattrAt } from "../linux/xattrs.ts";
import { Descent } from "../rootfs/descent.ts";
import { failure } from "../rootfs/failure.ts";
import { type ByteString, textOf } from "../tar/byte-string.ts";
import { nothing, type Selection } from "../tree/selection.ts";
import { type DiskEntry, succeeded } from "../verify/disk-entry.ts";
import { allNames } from "./disk-walk.ts";

/** A directory that is being taken over. */
interface Level {
  readonly entry: DiskEntry;
  readonly stat: Stat;
  readonly kept: Selection;
  readonly remaining: ByteString[];
  /** Whether it stays although nothing in it is kept. */
  readonly isKept: boolean;
  hasKept: boolean;
}

/**
 * Takes over what is at a name in the old root into a directory of the new one: what is kept of it, and the directories
 * that lead there, with the attributes that they have. Files get a further name, and stay what they are.
 */
export function keepFrom(top: DiskEntry, target: number, selection: Selection): void {
  const failed = (call: string, result: number) => failure("keep", levels.at(-1)?.entry.path ?? top.path, call, result);
  using from = new Descent(top.descriptor, failed);
  using to = new Descent(target, failed);
  const levels: Level[] = [];
  const take = (entry: DiskEntry, kept: Selection): boolean => {
    const stat = succeeded(statAt(entry.descriptor, entry.name), entry.path, "statx");
    if (stat.type !== "directory") {
      if (kept.isWanted) link(entry, to.descriptor);
      return kept.isWanted;
    }
    const handle = succeeded(openDirectoryBeneath(entry.descriptor, entry.name), entry.path, "openat2");
    from.enter(handle);
    const made = makeDirectoryAt(to.descriptor, entry.name, 0o700);
    if (made < 0) throw failure("keep", entry.path, "mkdirat", made);
    const target = succeeded(openDirectoryAt(to.descriptor, entry.name), entry.path, "openat");
    to.enter(target);
    const remaining = allNames(handle, entry.path);
    levels.push({ entry, stat, kept, remaining, isKept: kept.isWanted, hasKept: kept.isWanted });
    return kept.isWanted;
  };
  take(top, selection);
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const name = level.remaining.pop();
    if (name !== undefined) {
      const kept = level.isKept ? level.kept : level.kept.below(name);
      const path = `${level.entry.path}/${name}` as ByteString;
      if (kept === nothing) continue;
      if (take({ descriptor: from.descriptor, name, path }, kept)) level.hasKept = true;
      continue;
    }
    levels.pop();
    from.leave();
    to.leave();
    const entry = { ...level.entry, descriptor: from.descriptor };
    if (level.hasKept) giveAttributes(entry, level.stat, to.descriptor);
    else {
      const removed = removeDirectoryAt(to.descriptor, entry.name);
      if (removed < 0) throw failure("keep", entry.path, "unlinkat(AT_REMOVEDIR)", removed);
    }
    const above = levels.at(-1);
    if (above !== undefined && level.hasKept) above.hasKept = true;
  }
}

/** Insists that no directory is in the place of a file that something kept is in. */
export function insistOnNothingKept(place: DiskEntry, kept: Selection): void {
  if (kept === nothing) return;
  const stat = statAt(place.descriptor, place.name);
  if (typeof stat === "number" || stat.type !== "directory") return;
  throw new OciUnpackError(
    "FILE_SYSTEM",
    `cannot keep what is below ${quoted(place.path)}: the image has something there that is no directory`,
    { hint: "keep the directory itself, or keep nothing below it", details: { path: textOf(place.path) } },
  );
}

function link({ descriptor, name, path }: DiskEntry, target: number): void {
  const result = makeLinkAt(descriptor, name, target, name);
  if (result < 0 && result !== -errnos.ENOENT) throw failure("keep", path, "linkat", result);
}

function giveAttributes({ descriptor, name, path }: DiskEntry, stat: Stat, target: number): void {
  const { uid, gid, mode, atime, mtime } = stat;
  const insist = (call: string, result: number) => {
    if (result < 0) throw failure("keep", path, call, result);
  };
  insist("fchownat", changeOwnerAt(target, name, uid, gid));
  for (const xattr of succeeded(listXattrsAt(descriptor, name), path, "llistxattr")) {
    const value = succeeded(readXattrAt(descriptor, name, xattr), path, "lgetxattr");
    insist(`lsetxattr(${textOf(xattr)})`, setXattrAt(target, name, xattr, value));
  }
  insist("fchmodat", changeModeAt(target, name, mode));
  insist("utimensat", changeTimesAt(target, name, atime, mtime));
}
