import type { SandboxPolicy } from "../base/option-words.ts";
import { confineThread } from "../linux/confinement.ts";
import { closeDescriptor, openDirectoryPath } from "../linux/syscalls.ts";
import { removeChildren } from "./remove-tree.ts";

interface Discarding {
  /** Absolute path of the directory. */
  readonly staging: string;
  readonly sandbox: SandboxPolicy;
}

/**
 * Empties a staging directory, by handles: nothing in it can lead anywhere else, and this thread can reach nothing
 * else.
 */
export function discardStaging({ staging, sandbox }: Discarding): void {
  const directory = openDirectoryPath(staging);
  try {
    confineThread(sandbox, { writableBeneath: directory });
    removeChildren(directory);
  } finally {
    closeDescriptor(directory);
  }
}
