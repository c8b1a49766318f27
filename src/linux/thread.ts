import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
import { OciUnpackError } from "../base/errors.ts";
import { present } from "../base/present.ts";
import { errorCode } from "../base/system-error.ts";
import { declareOnce } from "./libc.ts";

const unshare = declareOnce<[number]>("unshare", ["int"]);
const umask = declareOnce<[number]>("umask", ["uint32_t"]);
const geteuid = declareOnce<[]>("geteuid", []);
const prctl = declareOnce<[number, Uint8Array]>("prctl", ["int", "const void*"]);

const CLONE_FS = 0x200;
const PR_SET_NAME = 15;

/**
 * Gives the calling worker thread a umask of its own and sets it to 0, so that files get the modes they are made with.
 *
 * The umask of the process stays. Returns false on the main thread, and if a seccomp filter forbids it: then modes have
 * to be set explicitly.
 */
export function ownUmask(): boolean {
  if (isMainThread || unshare(CLONE_FS) < 0) return false;
  umask(0);
  return true;
}

/** The effective user of the calling thread. */
export function effectiveUser(): number {
  return geteuid();
}

/** Names the calling thread, in at most 15 bytes. `top -H`, `perf` and debuggers show the name. */
export function nameThread(name: string): void {
  prctl(PR_SET_NAME, Buffer.from(`${name}\0`));
}

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

/**
 * All that decides what this process may do to files, as text: the same text means the same rights. `process` is where
 * the kernel tells of it.
 */
export function rightsAsText(process = "/proc/self"): string {
  try {
    const [status = "", ...maps] = ["status", "uid_map", "gid_map"].map((name) => {
      return readFileSync(`${process}/${name}`, "latin1");
    });
    const lines = status.split("\n").filter((line) => /^(Uid|Gid|Groups|CapEff):/.test(line));
    return [...lines, ...maps].join("\n");
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    const hint = "mount /proc, or do without `keep`";
    const details = present({ errno: errorCode(cause) });
    const message = `cannot find out for whom a tree is to be kept: ${found}`;
    throw new OciUnpackError("FILE_SYSTEM", message, { hint, details, cause });
  }
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
