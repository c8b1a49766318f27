import { constants } from "node:fs";
import { failure } from "../layer/findings.ts";
import { closeDescriptor, findDirectoryBeneath, openAt } from "../linux/syscalls.ts";
import type { TreeReport } from "../store/kept-trees.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import { tell } from "../worker/serve.ts";
import { TreeChanged } from "./kept-source.ts";

const rootfsName = byteStringOf("rootfs");
const listName = byteStringOf("entries");

/** What is kept of a tree, open. */
export class KeptPlaces implements Disposable {
  readonly rootfs: number;
  readonly list: number;

  /** `directory` is the open directory with both in it. */
  constructor(directory: number) {
    this.list = openAt(directory, listName, constants.O_RDONLY | constants.O_NOFOLLOW);
    this.rootfs = findDirectoryBeneath(directory, rootfsName);
    if (this.list < 0) throw failure("read", listName, "openat", this.list);
    if (this.rootfs < 0) throw failure("read", rootfsName, "openat2", this.rootfs);
  }

  [Symbol.dispose](): void {
    for (const descriptor of [this.rootfs, this.list]) if (descriptor >= 0) closeDescriptor(descriptor);
  }
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
