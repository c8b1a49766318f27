import type { Rights } from "../linux/rights.ts";
import type { Stat } from "../linux/stat.ts";
import { hostIdOf } from "../rootfs/id-map.ts";
import type { OwnerPolicy } from "../rootfs/owners.ts";
import { recordsOf, type Stated } from "../rootfs/recorded-owner.ts";
import { byteString } from "../tar/byte-string.ts";
import type { FoundXattrs } from "./xattr-comparison.ts";

/** Compares owners: a file has its owner, or has it recorded in an attribute, or belongs to whoever unpacked. */
export class OwnerComparison {
  readonly #policy: OwnerPolicy;
  readonly #rights: Rights;

  constructor(policy: OwnerPolicy, rights: Rights) {
    this.#policy = policy;
    this.#rights = rights;
  }

  /** Whether a file has the owner that unpacking gives it, or the one that it has if unpacking may not give it away. */
  isRight(stated: Stated, found: Stat): boolean {
    return this.#policy.owner === "ignore" || this.#isGiven(stated, found) || this.#isLeft(stated, found);
  }

  /**
   * Whether the owner that is recorded on a file is the one that unpacking records. `isStandIn` says that the file is
   * there in place of a device. If unpacking records nothing, a record is ignored: another tool may have made it.
   */
  isRecorded(stated: Stated, found: Stat, xattrs: FoundXattrs, { isRoot = false, isStandIn = false } = {}): boolean {
    // Other files cannot have attributes of the user namespace.
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

  /** Whether the file belongs to this user, who may not give it to the stated owner. */
  #isLeft({ uid, gid }: Stated, found: Stat): boolean {
    const { uidMap, gidMap } = this.#policy;
    const [user, group] = [hostIdOf(uid, uidMap), hostIdOf(gid, gidMap)];
    const isPossible = user !== undefined && group !== undefined && this.#rights.mayGiveTo(user, group);
    return !isPossible && found.uid === this.#rights.user;
  }
}
