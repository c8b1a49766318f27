import { getSystemErrorName } from "node:util";
import { opening } from "../base/open-descriptors.ts";
import { outOfResources } from "../base/system-error.ts";
import { errnos } from "./errno.ts";
import { calls, declare, type Result } from "./libc.ts";
import { closeDescriptor } from "./syscalls.ts";

/** What a thread may still do with files after it is confined. */
export interface Confinement {
  /** An open directory beneath which files may be made, read, written and removed. Default: none. */
  readonly writableBeneath?: number;
  /** Open directories beneath which files may be read. Default: none. */
  readonly readableBeneath?: readonly number[];
  /**
   * Open directories beneath which files may be read and written, and be given further names beneath `writableBeneath`:
   * Landlock lets nobody link a file to where more may be done with it. Default: none.
   */
  readonly linkableBeneath?: readonly number[];
}

/** The version of Landlock that is in force, or why none is. */
export type ConfinementResult = { readonly abi: number } | { readonly reason: string };

// The rights of linux/landlock.h, each with the first version (ABI) that has it.
const EXECUTE = 1 << 0;
const WRITE_FILE = 1 << 1;
const READ_FILE = 1 << 2;
const READ_DIR = 1 << 3;
const MAKE_SOCK = 1 << 9;
const REFER = 1 << 13;
const TRUNCATE = 1 << 14;
const IOCTL_DEV = 1 << 15;
const fileRightsByAbi = [
  [1, 0x1fff], // EXECUTE … MAKE_SYM
  [2, REFER],
  [3, TRUNCATE],
  [5, IOCTL_DEV],
] as const;
const TCP_BIND_AND_CONNECT = 0b11; // from ABI 4 on
const SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11; // from ABI 6 on

/** The newest version whose rights are all listed here. */
const newestAbi = 7;

const VERSION = 1;
const PATH_BENEATH = 1;
const PR_SET_NO_NEW_PRIVS = 38;

const askOrCreate = declare<[number, Uint8Array | null, number, number]>(
  "syscall",
  ["long", "const void*", "long", "uint32_t"],
  "long",
);
const createRuleset = opening(askOrCreate);
const addRule = declare<[number, number, number, Uint8Array, number]>(
  "syscall",
  ["long", "int", "int", "const void*", "uint32_t"],
  "long",
);
const restrictSelf = declare<[number, number, number]>("syscall", ["long", "int", "uint32_t"], "long");
const prctl = declare<[number, number, number, number, number]>("prctl", ["int", "long", "long", "long", "long"]);

/**
 * Takes from the calling thread, until it ends, all rights that Landlock can take except those that `confinement`
 * names: to files, TCP, device ioctls, abstract sockets and signals. Other threads keep their rights.
 *
 * Files that are open stay usable. Landlock does not restrict chmod, chown, utimes and xattrs; these are safe because
 * they are never given a path.
 */
export function confine(confinement: Confinement): ConfinementResult {
  const version = askOrCreate(calls.landlockCreateRuleset, null, 0, VERSION);
  if (version < 0) return refusal(version);
  const abi = Math.min(version, newestAbi);
  const result = enforce(abi, confinement);
  return result < 0 ? refusal(result) : { abi };
}

function enforce(abi: number, { writableBeneath, readableBeneath = [], linkableBeneath = [] }: Confinement): Result {
  const rights = fileRightsByAbi.reduce((sum, [since, right]) => (since <= abi ? sum | right : sum), 0);
  const ruleset = createRuleset(calls.landlockCreateRuleset, rulesetAttributes(abi, rights), rulesetBytes(abi), 0);
  if (ruleset < 0) return ruleset;
  try {
    const granted = readableBeneath.map((directory) => beneath(directory, READ_FILE | READ_DIR));
    const linkable = READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | REFER;
    granted.push(...linkableBeneath.map((directory) => beneath(directory, rights & linkable)));
    if (writableBeneath !== undefined) {
      granted.push(beneath(writableBeneath, rights & ~(EXECUTE | MAKE_SOCK | IOCTL_DEV)));
    }
    for (const rule of granted) {
      const added = addRule(calls.landlockAddRule, ruleset, PATH_BENEATH, rule, 0);
      if (added < 0) return added;
    }
    const privileges = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return privileges < 0 ? privileges : restrictSelf(calls.landlockRestrictSelf, ruleset, 0);
  } finally {
    closeDescriptor(ruleset);
  }
}

// struct landlock_ruleset_attr { u64 handled_access_fs; u64 handled_access_net; u64 scoped; }. Older versions know less
// of it.
function rulesetAttributes(abi: number, rights: number): Uint8Array {
  const scoped = abi >= 6 ? SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS : 0;
  const words = new BigUint64Array([BigInt(rights), abi >= 4 ? BigInt(TCP_BIND_AND_CONNECT) : 0n, BigInt(scoped)]);
  return new Uint8Array(words.buffer);
}

function rulesetBytes(abi: number): number {
  return abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
}

// struct landlock_path_beneath_attr { u64 allowed_access; s32 parent_fd; }, without padding.
function beneath(directory: number, rights: number): Uint8Array {
  const bytes = new Uint8Array(12);
  new BigUint64Array(bytes.buffer, 0, 1)[0] = BigInt(rights);
  new Int32Array(bytes.buffer, 8, 1)[0] = directory;
  return bytes;
}

/** Why there is no confinement. That files or memory are short is an error instead: no policy allows to go without then. */
function refusal(result: Result): ConfinementResult {
  const error = getSystemErrorName(result);
  const shortage = outOfResources(undefined, "confine a working thread", error);
  if (shortage !== undefined) throw shortage;
  return { reason: reasonOf(result) };
}

function reasonOf(result: Result): string {
  if (result === -errnos.ENOSYS) return "this kernel has no Landlock";
  if (result === -errnos.EOPNOTSUPP) return "Landlock is switched off on this machine";
  if (result === -errnos.EPERM) return "a seccomp filter forbids Landlock";
  return `Landlock answers with error ${-result}`;
}
