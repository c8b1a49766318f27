import { rewindEntries } from "../linux/directory-entries.ts";
import { statOf } from "../linux/stat.ts";
import type { Rights } from "../linux/thread.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import { allNames } from "./disk-walk.ts";
import { changedMeanwhile } from "./files-from-disk.ts";
import { stagingName } from "./sync-names.ts";

const staging = byteStringOf(stagingName);

/** Insists that the directory for the new root is the one that was made for it: whoever made it can change what is in it. */
export function insistOnOwn(target: number, { user }: Rights): void {
  const stat = statOf(target);
  rewindEntries(target);
  if (typeof stat === "number" || stat.uid !== user || allNames(target, staging).length > 0) {
    throw changedMeanwhile(staging);
  }
}
