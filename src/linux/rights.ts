import { effectiveUser } from "./thread.ts";
import { ownUserNamespace } from "./user-namespace.ts";

/**
 * What the kernel lets this user do to files. Whoever unpacked may have been allowed as much, and no more: what cannot be
 * done here was left out there.
 */
export interface Rights {
  readonly user: number;
  /** Whether this is the root of the machine, not of a user namespace. */
  readonly isRoot: boolean;
  mayGiveTo(uid: number, gid: number): boolean;
}

/** The rights of whoever calls this. It opens files: a thread that will be confined has to ask before. */
export function ownRights(): Rights {
  const user = effectiveUser();
  const namespace = ownUserNamespace();
  return {
    user,
    isRoot: user === 0 && namespace.isInitial,
    mayGiveTo: (uid, gid) => user === 0 && namespace.has(uid, gid),
  };
}
