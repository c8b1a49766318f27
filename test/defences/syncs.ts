import type { Defence } from "./defence.ts";

/** What keeps whoever may write to a directory from what a sync makes of it. */
export const syncDefences: readonly Defence[] = [
  {
    group: "E",
    what: "a file that stays is the one that was compared",
    file: "src/sync/root-check.ts",
    without: ["if (isAt(at, staying)) return true;", "if (at.inode > 0) return true;"],
    test: ["sync/new-root", "a file that takes the place of one that was compared does not get into the new root"],
  },
  {
    group: "E",
    what: "and so is one that is linked as soon as its directory was compared",
    file: "src/sync/linked-files.ts",
    without: ["if (!isDirectory && expected.get(name) === inode) count", "if (!isDirectory && inode > 0) count"],
    test: [
      "sync/staying",
      "no file of a directory is linked where something else took the place of one that was compared",
    ],
  },
  {
    group: "E",
    what: "and so is one that has several names",
    file: "src/sync/files-from-disk.ts",
    without: ["return isMade && this.#isThat(destination, old);", "return isMade;"],
    test: ["sync/new-root", "nor does one that takes the place of a file with several names"],
  },
  {
    group: "C",
    what: "a config.json that is a symlink is not read",
    file: "src/sync/sync-documents.ts",
    without: [" | constants.O_NOFOLLOW", ""],
    test: ["sync/sync", "a config.json that is a symlink is refused"],
  },
  {
    group: "E",
    what: "the directory for a new root has nothing of anybody else",
    file: "src/sync/own-directory.ts",
    without: [" || allNames(target, staging).length > 0", ""],
    test: ["sync/new-root", "a directory that has something in it is nobody's new root"],
  },
  {
    group: "C",
    what: "what is mounted in a root keeps it from being replaced",
    file: "src/sync/sync-place.ts",
    without: ["if (mounted !== undefined) {", "if (mounted === path) {"],
    test: ["sync/sync", "a root that something is mounted in is refused"],
  },
  {
    group: "verification",
    what: "data of the disk are digested again while they are copied",
    file: "src/sync/new-root.ts",
    without: ["data.bytes === 0 || data.digest() === this.#parts.trees.data.withoutHoles(file)", "data.bytes >= 0"],
    test: ["sync/new-root", "data that were changed after they were compared come out of the layers"],
  },
  {
    group: "verification",
    what: "data out of a layer are those that its index says",
    file: "src/sync/new-root.ts",
    without: ["data.digest() !== this.#parts.trees.data.withoutHoles(name.file)", "data.bytes < 0"],
    test: ["sync/new-root", "a layer that is not what its index says is refused"],
  },
  {
    group: "verification",
    what: "bytes that turned out to be wrong are not read again",
    file: "src/sync/reread-image.ts",
    without: ["this.#read.set(descriptor.digest, range);", "this.#kept.set(descriptor.digest, range);"],
    test: ["sync/new-root", "bytes that were not verified are asked for again, and those that were are not"],
  },
  {
    group: "sandbox",
    what: "the thread that syncs reaches the directory alone",
    file: "src/sync/syncing.ts",
    without: ["confineThread(job.sandbox, confinement)", `confineThread("off", confinement)`],
    test: ["worker/confinement", "the thread that syncs a directory confines itself"],
  },
];
