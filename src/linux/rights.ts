import { readFileSync } from "node:fs";
import { effectiveUser } from "./thread.ts";

/** What the kernel lets this user do to files. */
export interface Rights {
  readonly user: number;
  /** Whether this is the root of the machine, not of a user namespace. */
  readonly isRoot: boolean;
  /** Whether a file may be given to this user and group. */
  mayGiveTo(uid: number, gid: number): boolean;
}

/** The rights of the calling thread's user. Reads files, so a thread has to call this before it is confined. */
export function ownRights(): Rights {
  const user = effectiveUser();
  const namespace = ownUserNamespace();
  return {
    user,
    isRoot: user === 0 && namespace.isInitial,
    mayGiveTo: (uid, gid) => user === 0 && namespace.has(uid, gid),
  };
}

/** The user namespace of this process (user_namespaces(7)). */
interface UserNamespace {
  /** Whether it is the machine's own. Some rights, such as making devices, exist in no other. */
  readonly isInitial: boolean;
  /** Whether a file can belong to this user and this group. */
  has(uid: number, gid: number): boolean;
}

/** A range of ids that the namespace has. */
interface IdRange {
  readonly first: number;
  readonly outside: number;
  readonly count: number;
}

const idCount = 2 ** 32 - 1;

function ownUserNamespace(): UserNamespace {
  const [users, groups] = [rangesIn("/proc/self/uid_map"), rangesIn("/proc/self/gid_map")];
  return {
    isInitial: users.some(({ first, outside, count }) => first === 0 && outside === 0 && count === idCount),
    has: (uid, gid) => isIn(uid, users) && isIn(gid, groups),
  };
}

function rangesIn(path: string): readonly IdRange[] {
  const lines = readFileSync(path, "latin1").split("\n");
  return lines.flatMap((line) => {
    const [first, outside, count] = line.trim().split(/ +/).map(Number);
    return first === undefined || outside === undefined || count === undefined ? [] : [{ first, outside, count }];
  });
}

function isIn(id: number, ranges: readonly IdRange[]): boolean {
  return ranges.some(({ first, count }) => id >= first && id < first + count);
}
