import type { Attributes } from "../layer/attributes.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { XattrFilter } from "../layer/xattr-filter.ts";
import type { Rights } from "../linux/rights.ts";
import type { Stat } from "../linux/stat.ts";
import { ownerPolicy } from "../rootfs/new-context.ts";
import type { Stated } from "../rootfs/recorded-owner.ts";
import { XattrIds } from "../rootfs/xattr-ids.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import type { Timestamp } from "../tar/entry.ts";
import { earliestSeconds, latestSeconds } from "../tar/timestamp.ts";
import type { DifferentPart } from "./difference.ts";
import type { DiskEntry } from "./disk-entry.ts";
import { OwnerComparison } from "./owner-comparison.ts";
import { type FoundXattrs, XattrComparison, xattrsAt } from "./xattr-comparison.ts";

/** What was found on the disk where the image has something. */
export interface FoundOnDisk {
  readonly stat: Stat;
  readonly entry: DiskEntry;
  /** Whether it is an empty file in place of a device that was not made. */
  readonly isStandIn?: boolean;
  readonly isRoot?: boolean;
}

const acl = byteStringOf("system.posix_acl_access");

/** Compares mode, time, owner and extended attributes with what unpacking makes of those that the image states. */
export class AttributeComparison {
  readonly #owners: OwnerComparison;
  readonly #xattrs: XattrComparison;

  constructor(settings: RootfsSettings, rights: Rights) {
    const { xattrInclude, xattrExclude } = settings;
    this.#owners = new OwnerComparison(ownerPolicy(settings), rights);
    const filter = new XattrFilter({ include: xattrInclude, exclude: xattrExclude });
    this.#xattrs = new XattrComparison(filter, new XattrIds(settings), rights);
  }

  /** Returns which of them are different. */
  differentParts(attributes: Attributes, stated: Stated, found: FoundOnDisk): DifferentPart[] {
    const { stat, entry } = found;
    const xattrs = xattrsAt(entry);
    const hasOwner = this.#owners.isRight(stated, stat) && this.#owners.isRecorded(stated, stat, xattrs, found);
    const parts: [DifferentPart, boolean][] = [
      ["mode", hasMode(attributes.mode, stat, xattrs)],
      ["owner", hasOwner],
      ["time", hasTime(attributes.mtime, stat.mtime)],
      ["xattrs", this.#xattrs.areRight(attributes, xattrs, stat.type, entry)],
    ];
    return parts.flatMap(([part, isRight]) => (isRight ? [] : [part]));
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
function hasTime(stated: Timestamp, found: Timestamp): boolean {
  if (found.seconds === stated.seconds) return found.nanoseconds === stated.nanoseconds;
  if (stated.seconds > latestSeconds) return found.seconds >= latestSeconds && found.seconds < stated.seconds;
  return stated.seconds < earliestSeconds && found.seconds <= earliestSeconds && found.seconds > stated.seconds;
}
