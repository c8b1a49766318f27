import { closeDescriptor, openDirectoryPath } from "../linux/syscalls.ts";
import { removeChildren } from "../rootfs/remove.ts";
import { confineThread } from "./confinement.ts";
import type { DiscardJob } from "./protocol.ts";

/** Empties a staging directory, by handles: nothing in it can lead anywhere else, and this thread can reach nothing else. */
export function discardStaging({ staging, sandbox }: DiscardJob): void {
  const directory = openDirectoryPath(staging);
  try {
    confineThread(sandbox, { writableBeneath: directory });
    removeChildren(directory);
  } finally {
    closeDescriptor(directory);
  }
}
