import { readFileSync } from "node:fs";

/** Which of a machine's users and groups the user namespace of this process has (user_namespaces(7)). */
export interface UserNamespace {
  /** Whether it is the machine's own. What takes the right to do something to the whole machine works in no other. */
  readonly isInitial: boolean;
  /** Whether a file can belong to this user and this group. */
  has(uid: number, gid: number): boolean;
}

/** A run of ids that the namespace has. */
interface Run {
  readonly first: number;
  readonly outside: number;
  readonly count: number;
}

const idCount = 2 ** 32 - 1;

/** The namespace of this process. It opens files: a thread that will be confined has to ask before. */
export function ownUserNamespace(): UserNamespace {
  const [users, groups] = [runsIn("/proc/self/uid_map"), runsIn("/proc/self/gid_map")];
  return {
    isInitial: users.some(({ first, outside, count }) => first === 0 && outside === 0 && count === idCount),
    has: (uid, gid) => isIn(uid, users) && isIn(gid, groups),
  };
}

function runsIn(path: string): readonly Run[] {
  const lines = readFileSync(path, "latin1").split("\n");
  return lines.flatMap((line) => {
    const [first, outside, count] = line.trim().split(/ +/).map(Number);
    return first === undefined || outside === undefined || count === undefined ? [] : [{ first, outside, count }];
  });
}

function isIn(id: number, runs: readonly Run[]): boolean {
  return runs.some(({ first, count }) => id >= first && id < first + count);
}
