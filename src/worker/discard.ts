import { closeDescriptor, openDirectoryPath } from "../linux/syscalls.ts";
import { removeChildren } from "../rootfs/remove.ts";

/** Empties a staging directory, by handles: nothing in it can lead anywhere else. */
export function discardStaging(staging: string): void {
  const directory = openDirectoryPath(staging);
  try {
    removeChildren(directory);
  } finally {
    closeDescriptor(directory);
  }
}
