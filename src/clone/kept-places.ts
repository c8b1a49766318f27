import { constants } from "node:fs";
import { SystemError } from "../linux/errno.ts";
import { closeDescriptor, findDirectoryBeneath, openAt, openDirectoryPath } from "../linux/syscalls.ts";
import type { TreeReport } from "../store/kept-trees.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import { tell } from "../worker/serve.ts";
import { TreeChanged, unchanged } from "./kept-source.ts";

const rootfsName = byteStringOf("rootfs");
const listName = byteStringOf("entries");

/** What is kept of a tree, open. */
export class KeptPlaces implements Disposable {
  readonly rootfs: number;
  readonly list: number;

  /** `directory` is the open directory with both in it. */
  constructor(directory: number) {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    this.list = unchanged(openAt(directory, listName, flags), listName, "openat");
    this.rootfs = unchanged(findDirectoryBeneath(directory, rootfsName), rootfsName, "openat2");
  }

  [Symbol.dispose](): void {
    for (const descriptor of [this.rootfs, this.list]) closeDescriptor(descriptor);
  }
}

/** Opens the directory that has what is kept of a tree. Throws `TreeChanged` where it is gone. */
export function openTree(path: string): number {
  try {
    return openDirectoryPath(path);
  } catch (error) {
    if (!isErrnoOf(error, "ENOENT", "ENOTDIR", "ELOOP")) throw error;
    throw new TreeChanged("it was removed");
  }
}

function isErrnoOf(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof SystemError && names.includes(error.errno);
}

/** Tells where a tree turns out to be another one than was kept. */
export function tellingOfChanges(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof TreeChanged)) throw error;
    tell<TreeReport>({ type: "tree-changed", found: error.message });
  }
}
