import type { Rights } from "../linux/rights.ts";
import type { Stat } from "../linux/stat.ts";
import { hostIdOf } from "../rootfs/id-map.ts";
import type { OwnerPolicy } from "../rootfs/owners.ts";
import { recordsOf, type Stated } from "../rootfs/recorded-owner.ts";
import { byteString } from "../tar/byte-string.ts";
import type { FoundXattrs } from "./xattr-comparison.ts";

/** Judges owners: files have them, or are noted to have them, or belong to whoever unpacked. */
export class OwnerComparison {
  readonly #policy: OwnerPolicy;
  readonly #rights: Rights;

  constructor(policy: OwnerPolicy, rights: Rights) {
    this.#policy = policy;
    this.#rights = rights;
  }

  /** Whether a file has the owner that an unpacking would have given it, or one that it would have left it. */
  isRight(stated: Stated, found: Stat): boolean {
    return this.#policy.owner === "ignore" || this.#isGiven(stated, found) || this.#isLeft(stated, found);
  }

  /**
   * Whether what is noted on a file is what an unpacking would have noted. `isStandIn` says that it stands for a device.
   * Where nothing is to be noted, notes have no say: they may be another tool's.
   */
  isRecorded(stated: Stated, found: Stat, xattrs: FoundXattrs, { isRoot = false, isStandIn = false } = {}): boolean {
    // No other file can have an extended attribute of a user's.
    if (!this.#policy.areRecorded || (found.type !== "file" && found.type !== "directory")) return true;
    const hasOwner = this.#policy.owner === "preserve" && this.#isGiven(stated, found);
    const isNoteworthy = stated.uid !== 0 || stated.gid !== 0 || isStandIn || isRoot;
    if ((hasOwner && !isStandIn) || !isNoteworthy) return true;
    return [...recordsOf(stated)].every(([name, value]) => xattrs.get(name) === byteString(value));
  }

  #isGiven({ uid, gid }: Stated, found: Stat): boolean {
    const { uidMap, gidMap } = this.#policy;
    return hostIdOf(uid, uidMap) === found.uid && hostIdOf(gid, gidMap) === found.gid;
  }

  /** Whoever may not give files away keeps them. */
  #isLeft({ uid, gid }: Stated, found: Stat): boolean {
    const { uidMap, gidMap } = this.#policy;
    const [user, group] = [hostIdOf(uid, uidMap), hostIdOf(gid, gidMap)];
    const isPossible = user !== undefined && group !== undefined && this.#rights.mayGiveTo(user, group);
    return !isPossible && found.uid === this.#rights.user;
  }
}
