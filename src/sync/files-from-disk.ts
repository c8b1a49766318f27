import { OciUnpackError } from "../base/errors.ts";
import type { FileBackEnd } from "../layer/back-end.ts";
import { quoted } from "../layer/findings.ts";
import { errnos } from "../linux/errno.ts";
import { identityAt } from "../linux/stat.ts";
import { linkSameNameAt, makeLinkAt, unlinkAt } from "../linux/syscalls.ts";
import type { RootfsContext } from "../rootfs/context.ts";
import type { DiskDestination, DiskDirectory, OnDisk } from "../rootfs/disk-directory.ts";
import { failure } from "../rootfs/failure.ts";
import type { FileMaker } from "../rootfs/file-maker.ts";
import type { NodeMaker } from "../rootfs/node-maker.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { textOf } from "../tar/byte-string.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import type { FileOnDisk } from "./sync-plan.ts";

/** A file in the old root that the next entry describes. */
export interface OldFile extends FileOnDisk {
  /** An open handle of its directory. */
  readonly directory: number;
  readonly name: ByteString;
}

/** What stops link(2) for reasons that a new file does not share. */
const copyable = [errnos.EXDEV, errnos.EMLINK, errnos.EPERM, errnos.ENOTSUP, errnos.ENOSYS];

/**
 * Makes the files of a new root: those that stay are further names of the files in the old root, which nobody changes;
 * others are made of their entries.
 */
export class FilesFromDisk implements FileBackEnd<OnDisk> {
  /** What the old root has for the next entry. */
  old: OldFile | undefined;
  /** How many bytes of data were written. */
  writtenBytes = 0;
  readonly #context: RootfsContext;
  readonly #files: FileMaker;
  readonly #nodes: NodeMaker;
  #last: DiskDestination | undefined;

  constructor(context: RootfsContext, files: FileMaker, nodes: NodeMaker) {
    this.#context = context;
    this.#files = files;
    this.#nodes = nodes;
  }

  file(destination: DiskDestination, entry: Entry, body: ByteSource): void {
    this.#last = destination;
    if (!this.#isLinked(destination)) this.#files.file(destination, entry, body);
  }

  symlink(destination: DiskDestination, entry: Entry): void {
    if (!this.#isLinked(destination)) this.#files.symlink(destination, entry);
  }

  fifo(destination: DiskDestination, entry: Entry): void {
    if (!this.#isLinked(destination)) this.#files.fifo(destination, entry);
  }

  device(destination: DiskDestination, entry: Entry): void {
    if (!this.#isLinked(destination)) this.#files.device(destination, entry);
  }

  /** Removes the file that was made last: what it was made of turned out to be wrong. */
  takeBack(): void {
    if (this.#last === undefined) throw new TypeError("no file was made");
    const { parent, name, path } = this.#last;
    const result = unlinkAt(this.#context.tree.handles.of(parent), name);
    if (result < 0) throw failure("replace", path, "unlinkat", result);
  }

  /** Gives the file of the old root a further name; false where there is none, or where none can be had. */
  #isLinked(destination: DiskDestination): boolean {
    return this.old !== undefined && this.link(destination, this.old);
  }

  /** As above, for a file of the old root that is given. */
  link(destination: DiskDestination, old: OldFile): boolean {
    if (!old.isWhole) return false;
    let isMade = true;
    this.#nodes.make(destination, "linkat", (directory, name) => {
      const result = makeLinkAt(old.directory, old.name, directory, name);
      isMade = !copyable.includes(-result);
      return isMade ? result : 0;
    });
    return isMade && this.#isThat(destination, old);
  }

  /**
   * The same for a file that stays at its name, in a directory that was made for the new root. Where the file system does
   * not do it, nothing is there yet. Whether it is the file that was compared has to be seen later.
   */
  isLinkedAs(parent: DiskDirectory, name: ByteString, old: number): boolean {
    return linkSameNameAt(old, this.#context.tree.handles.of(parent), name) >= 0;
  }

  /**
   * Whether the further name is that of the file that was compared; if not, it is taken away again. Whoever may write to the
   * old root can put something else in its place. And where an overlay file system has a file with several names in a
   * lower layer, it is another file as soon as it gets a further one.
   */
  #isThat({ parent, name, path }: DiskDestination, { identity }: OldFile): boolean {
    const directory = this.#context.tree.handles.of(parent);
    if (identityAt(directory, name) === identity) return true;
    const result = unlinkAt(directory, name);
    if (result < 0) throw failure("replace", path, "unlinkat", result);
    return false;
  }
}

export function changedMeanwhile(path: ByteString): OciUnpackError {
  return new OciUnpackError("FILE_SYSTEM", `cannot go on with ${quoted(path)}: it was changed meanwhile`, {
    hint: "do it again when nobody else changes the directory",
    details: { path: textOf(path) },
  });
}
