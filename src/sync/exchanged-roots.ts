import { OciUnpackError } from "../base/errors.ts";
import { errnos } from "../linux/errno.ts";
import { statAt, statOf } from "../linux/stat.ts";
import { exchangeAt, renameAt } from "../linux/syscalls.ts";
import { failure } from "../rootfs/failure.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import { changedMeanwhile } from "./files-from-disk.ts";
import { rootName, stagingName } from "./sync-names.ts";

/** Open handles of the old root, if there is one, and of the new one. */
interface Roots {
  readonly old: number | undefined;
  readonly target: number;
}

/** Puts the new root in the place of the old one, at once, if there is one; or the old one back. */
export function exchangeRoots(directory: number, { old, target }: Roots): void {
  if (!isAt(directory, staging, target) && !isAt(directory, root, target)) throw changedMeanwhile(staging);
  if (old === undefined) return moveRoot(directory);
  const exchange = () => exchangeAt(directory, staging, directory, root);
  const result = exchange();
  // It moves directories of lower layers only if it was mounted so (overlayfs.rst, redirect_dir).
  if (result === -errnos.EXDEV)
    throw inexchangeable("an overlay file system has it in a lower layer, and does not move it", "EXDEV");
  if (result === -errnos.EINVAL) throw inexchangeable("this file system cannot exchange two directories", "EINVAL");
  if (result < 0) throw failure("replace", root, "renameat2(RENAME_EXCHANGE)", result);
  if (isAt(directory, staging, old) || isAt(directory, root, old)) return;
  exchange();
  throw changedMeanwhile(root);
}

function inexchangeable(found: string, errno: string): OciUnpackError {
  return new OciUnpackError("FILE_SYSTEM", `cannot replace "${rootName}": ${found} (${errno})`, {
    hint: "unpack into another directory",
    details: { errno },
  });
}

/** Where there was no root before, the new one gets its name, or loses it again. */
function moveRoot(directory: number): void {
  const isMade = typeof statAt(directory, staging) === "number";
  const [from, to] = isMade ? [root, staging] : [staging, root];
  const result = renameAt(directory, from, directory, to);
  if (result < 0) throw failure("replace", root, "renameat", result);
}

const root = byteStringOf(rootName);
const staging = byteStringOf(stagingName);

function isAt(directory: number, name: ByteString, handle: number): boolean {
  const [there, ours] = [statAt(directory, name), statOf(handle)];
  return typeof there !== "number" && typeof ours !== "number" && there.identity === ours.identity;
}
