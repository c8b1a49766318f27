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

/** What stands on the disk where an image has something. */
export interface FoundOnDisk {
  readonly stat: Stat;
  readonly entry: DiskEntry;
  /** Whether it stands for a device that was not to be, or could not be, made. */
  readonly isStandIn?: boolean;
  readonly isRoot?: boolean;
}

const acl = byteStringOf("system.posix_acl_access");

/** Judges mode, time, owner and extended attributes: whether they are what an unpacking makes of what the image states. */
export class AttributeComparison {
  readonly #owners: OwnerComparison;
  readonly #xattrs: XattrComparison;

  constructor(settings: RootfsSettings, rights: Rights) {
    const { xattrInclude, xattrExclude } = settings;
    this.#owners = new OwnerComparison(ownerPolicy(settings), rights);
    const filter = new XattrFilter({ include: xattrInclude, exclude: xattrExclude });
    this.#xattrs = new XattrComparison(filter, new XattrIds(settings), rights);
  }

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

/** An access-control list says what all may do; then the mode only has the bits that such a list knows nothing of. */
function hasMode(mode: number, stat: Stat, xattrs: FoundXattrs): boolean {
  if (stat.type === "symlink") return true;
  const compared = xattrs.has(acl) ? 0o7000 : 0o7777;
  return (stat.mode & compared) === (mode & compared);
}

/** A file system moves a time that it cannot store to the nearest that it can, which is never an everyday one. */
function hasTime(stated: Timestamp, found: Timestamp): boolean {
  if (found.seconds === stated.seconds) return found.nanoseconds === stated.nanoseconds;
  if (stated.seconds > latestSeconds) return found.seconds >= latestSeconds && found.seconds < stated.seconds;
  return stated.seconds < earliestSeconds && found.seconds <= earliestSeconds && found.seconds > stated.seconds;
}
