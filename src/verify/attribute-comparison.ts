import type { DifferentPart } from "../base/option-words.ts";
import type { Attributes } from "../layer/directory.ts";
import { hostIdOf } from "../layer/id-map.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { XattrFilter } from "../layer/xattr-rules.ts";
import { errnos } from "../linux/errno.ts";
import type { Stat } from "../linux/stat.ts";
import type { Rights } from "../linux/thread.ts";
import { listXattrsAt, readXattrAt } from "../linux/xattrs.ts";
import { ownerPolicy } from "../rootfs/context.ts";
import { type OwnerPolicy, recordNames, recordsOf, type Stated } from "../rootfs/owners.ts";
import { XattrIds } from "../rootfs/xattr-ids.ts";
import { type ByteString, byteString, byteStringOf } from "../tar/byte-string.ts";
import type { Timestamp } from "../tar/entry.ts";
import { earliestSeconds, latestSeconds } from "../tar/numbers.ts";
import { type DiskEntry, succeeded } from "./disk-entry.ts";

/** What was found on the disk where the image has something. */
interface FoundStat {
  readonly stat: Stat;
  readonly entry: DiskEntry;
  /** Whether it is an empty file in place of a device that was not made. */
  readonly isStandIn?: boolean;
  readonly isRoot?: boolean;
}

const acl = byteStringOf("system.posix_acl_access");

/** How attributes are compared besides what the settings of unpacking say. */
export interface AttributeStrictness {
  /**
   * Whether what only other settings leave is a difference: notes of owners that nobody wants, and extended attributes that
   * are excluded. Default: false.
   */
  readonly isExact?: boolean;
  /** Who files belong to whose owner is ignored. Default: anybody. */
  readonly newFilesOwner?: { readonly uid: number; readonly gids: readonly number[] } | undefined;
}

/** Compares mode, time, owner and extended attributes with what unpacking makes of those that the image states. */
export class AttributeComparison {
  readonly #owners: OwnerComparison;
  readonly #xattrs: XattrComparison;

  constructor(settings: RootfsSettings, rights: Rights, { isExact = false, newFilesOwner }: AttributeStrictness = {}) {
    const { xattrInclude, xattrExclude } = settings;
    const policy = ownerPolicy(settings);
    this.#owners = new OwnerComparison(policy, rights, newFilesOwner);
    const filter = new XattrFilter({ include: xattrInclude, exclude: xattrExclude });
    const isSetOtherwise = (name: ByteString) =>
      filter.isOnlyExcluded(name) || (!policy.areRecorded && recordNames.includes(name));
    const mayHave = (name: ByteString) => filter.verdict(name) === "leave-out" && !(isExact && isSetOtherwise(name));
    this.#xattrs = new XattrComparison(mayHave, new XattrIds(settings), rights);
  }

  /** Returns which of them are different. */
  differentParts(attributes: Attributes, stated: Stated, found: FoundStat): DifferentPart[] {
    const { stat, entry } = found;
    const xattrs = xattrsAt(entry);
    const hasOwner = this.#owners.isRight(stated, stat) && this.#owners.isRecorded(stated, stat, xattrs, found);
    const parts: DifferentPart[] = [];
    if (!hasMode(attributes.mode, stat, xattrs)) parts.push("mode");
    if (!hasOwner) parts.push("owner");
    if (!hasTime(attributes.mtime, stat.mtime)) parts.push("time");
    if (!this.#xattrs.areRight(attributes, xattrs, stat.type, entry)) parts.push("xattrs");
    return parts;
  }
}

/**
 * Compares the mode. If there is an access-control list, it determines the permission bits, so these are not compared.
 */
function hasMode(mode: number, stat: Stat, xattrs: FoundXattrs): boolean {
  if (stat.type === "symlink") return true;
  const compared = xattrs.has(acl) ? 0o7000 : 0o7777;
  return (stat.mode & compared) === (mode & compared);
}

/** Compares the time. A file system may have replaced a time that it cannot store by the nearest that it can. */
export function hasTime(stated: Timestamp, found: Timestamp): boolean {
  if (found.seconds === stated.seconds) return found.nanoseconds === stated.nanoseconds;
  if (stated.seconds > latestSeconds) return found.seconds >= latestSeconds && found.seconds < stated.seconds;
  return stated.seconds < earliestSeconds && found.seconds <= earliestSeconds && found.seconds > stated.seconds;
}

/** Compares owners: a file has its owner, or has it recorded in an attribute, or belongs to whoever unpacked. */
class OwnerComparison {
  readonly #policy: OwnerPolicy;
  readonly #rights: Rights;
  readonly #newFiles: AttributeStrictness["newFilesOwner"];

  constructor(policy: OwnerPolicy, rights: Rights, newFiles: AttributeStrictness["newFilesOwner"]) {
    this.#policy = policy;
    this.#rights = rights;
    this.#newFiles = newFiles;
  }

  /** Whether a file has the owner that unpacking gives it, or the one that it has if unpacking may not give it away. */
  isRight(stated: Stated, found: Stat): boolean {
    if (this.#policy.owner === "ignore") return this.#isAsMade(found);
    return this.#isGiven(stated, found) || this.#isLeft(stated, found);
  }

  /**
   * Whether the owner that is recorded on a file is the one that unpacking records. `isStandIn` says that the file is
   * there in place of a device. What needs no record may have none, or a right one. If unpacking records nothing, a
   * record is ignored: another tool may have made it.
   */
  isRecorded(stated: Stated, found: Stat, xattrs: FoundXattrs, { isRoot = false, isStandIn = false } = {}): boolean {
    // Other files cannot have attributes of the user namespace.
    if (!this.#policy.areRecorded || (found.type !== "file" && found.type !== "directory")) return true;
    const hasOwner = this.#policy.owner === "preserve" && this.#isGiven(stated, found);
    const isNoteworthy = stated.uid !== 0 || stated.gid !== 0 || isStandIn || isRoot;
    const isOptional = (hasOwner && !isStandIn) || !isNoteworthy;
    const records = recordsOf(stated);
    return recordNames.every((name) => {
      const [found, expected] = [xattrs.get(name), records.get(name)];
      if (found === undefined) return isOptional || expected === undefined;
      return expected !== undefined && found === byteString(expected);
    });
  }

  #isAsMade({ uid, gid }: Stat): boolean {
    return this.#newFiles === undefined || (uid === this.#newFiles.uid && this.#newFiles.gids.includes(gid));
  }

  #isGiven({ uid, gid }: Stated, found: Stat): boolean {
    const { uidMap, gidMap } = this.#policy;
    return hostIdOf(uid, uidMap) === found.uid && hostIdOf(gid, gidMap) === found.gid;
  }

  /** Whether the file belongs to this user, who may not give it to the stated owner. */
  #isLeft({ uid, gid }: Stated, found: Stat): boolean {
    const { uidMap, gidMap } = this.#policy;
    const [user, group] = [hostIdOf(uid, uidMap), hostIdOf(gid, gidMap)];
    const isPossible = user !== undefined && group !== undefined && this.#rights.mayGiveTo(user, group);
    return !isPossible && found.uid === this.#rights.user;
  }
}

/** The extended attributes of a file on the disk. */
type FoundXattrs = ReadonlyMap<ByteString, ByteString>;

const noXattrs: ReadonlyMap<ByteString, never> = new Map<ByteString, never>();

/** The size of an access-control list that says the same as the mode. The kernel does not store such a list. */
const trivialAclBytes = 4 + 3 * 8;

/** Reads the extended attributes of what is at a name. */
function xattrsAt({ descriptor, name, path }: DiskEntry): FoundXattrs {
  const names = succeeded(listXattrsAt(descriptor, name), path, "llistxattr");
  if (names.length === 0) return noXattrs;
  return new Map(
    names.map((xattr) => [xattr, byteString(succeeded(readXattrAt(descriptor, name, xattr), path, "lgetxattr"))]),
  );
}

/** Compares extended attributes. */
class XattrComparison {
  readonly #mayHave: (name: ByteString) => boolean;
  readonly #ids: XattrIds;
  readonly #rights: Rights;

  /** `mayHave` says whether a file may have an attribute that the image does not state. */
  constructor(mayHave: (name: ByteString) => boolean, ids: XattrIds, rights: Rights) {
    this.#mayHave = mayHave;
    this.#ids = ids;
    this.#rights = rights;
  }

  /** Whether a file has the attributes that the image states, and no others except those that unpacking never sets. */
  areRight(
    { xattrs: stated = noXattrs }: Attributes,
    found: FoundXattrs,
    type: Stat["type"],
    entry: DiskEntry,
  ): boolean {
    if (stated.size === 0 && found.size === 0) return true;
    for (const [name, value] of stated) {
      const actual = found.get(name);
      const expected = this.#ids.onThisMachine(name, value).value;
      if (actual === undefined && (expected === undefined || this.#isImpossible(name, expected, type, entry))) continue;
      if (expected === undefined || actual !== byteString(expected)) return false;
    }
    return [...found.keys()].every((name) => stated.has(name) || this.#mayHave(name));
  }

  /** Whether unpacking could not set an attribute, because this user may not or the file system does not store it. */
  #isImpossible(name: ByteString, value: Uint8Array, type: Stat["type"], entry: DiskEntry): boolean {
    const isPlain = type === "file" || type === "directory";
    if (name.startsWith("user.")) return !isPlain || isUnsupported(name, entry);
    if (name.startsWith("trusted.")) return !this.#rights.isRoot;
    if (name.startsWith("security.")) return !this.#rights.isRoot || isUnsupported(name, entry);
    if (name === "system.posix_acl_access") return value.length <= trivialAclBytes || isUnsupported(name, entry);
    return isUnsupported(name, entry);
  }
}

/** Whether the file system does not store attributes of that kind. Otherwise it would answer that there is none. */
function isUnsupported(xattr: ByteString, { descriptor, name }: DiskEntry): boolean {
  const result = readXattrAt(descriptor, name, xattr);
  return result === -errnos.ENOTSUP;
}
