import { constants } from "node:fs";
import { changeMode, changeOwner } from "../linux/attributes.ts";
import { type Stat, statAt, statOf } from "../linux/stat.ts";
import { closeDescriptor, openAt, unlinkAt } from "../linux/syscalls.ts";
import { ownUmask } from "../linux/thread.ts";
import { removeXattr } from "../linux/xattrs.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import { failure } from "./failure.ts";

/** What the kernel and the file system make of a new file when nobody says otherwise. */
export interface FileSystemTraits {
  /** The owner that a new file has. */
  readonly uid: number;
  readonly gid: number;
  /** Whether a new file has the permission bits it is made with: no umask and no default ACL takes some. */
  readonly keepsModes: boolean;
  /** Whether names that differ are the same file here: in upper and lower case, or in how an accent is written. */
  readonly foldsNames: boolean;
}

/** A place for a root filesystem, and what gets lost there without an error. */
export interface ProbedPlace extends FileSystemTraits {
  /** Whether a file has another mode than it was given, as where one mode is mounted for all. */
  readonly losesModes: boolean;
  /** Whether a file has another owner than it was given. */
  readonly losesOwners: boolean;
}

const probe = byteStringOf("oci-unpack-probe-\u00e9");
const otherSpellings = ["OCI-UNPACK-PROBE-\u00e9", "oci-unpack-probe-e\u0301"].map(byteStringOf);

/**
 * Prepares an empty, private directory and finds out, by making a file in it, what this place does to new files.
 *
 * What the directory inherited from where it stands (set-group-ID, a default ACL) must not be passed on, and neither
 * must the host's umask: on a thread of its own this takes one of its own.
 */
export function prepareRoot(directory: number): ProbedPlace {
  ownUmask();
  changeMode(directory, 0o700);
  for (const acl of ["system.posix_acl_default", "system.posix_acl_access"]) removeXattr(directory, byteStringOf(acl));
  const file = openAt(directory, probe, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o777);
  if (file < 0) throw failure("create", probe, "openat(O_CREAT|O_EXCL)", file);
  try {
    const { uid, gid, mode } = examined(file);
    const foldsNames = otherSpellings.some((name) => typeof statAt(directory, name) !== "number");
    return { uid, gid, keepsModes: mode === 0o777, foldsNames, ...lossesOf(file) };
  } finally {
    closeDescriptor(file);
    unlinkAt(directory, probe);
  }
}

/** What a file loses that nothing was said about. Where it cannot be given something, each file's own turn tells that. */
function lossesOf(file: number): Pick<ProbedPlace, "losesModes" | "losesOwners"> {
  const losesModes = changeMode(file, 0o640) >= 0 && examined(file).mode !== 0o640;
  return { losesModes, losesOwners: changeOwner(file, 1, 1) >= 0 && examined(file).uid !== 1 };
}

function examined(file: number): Stat {
  const stat = statOf(file);
  if (typeof stat === "number") throw failure("examine", probe, "statx", stat);
  return stat;
}
