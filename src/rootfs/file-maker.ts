import { constants } from "node:fs";
import type { FileBackEnd } from "../layer/back-end.ts";
import { checkNoWhiteout, deviceName } from "../layer/entry-checks.ts";
import { errnos } from "../linux/errno.ts";
import { closeDescriptor, makeNodeAt, makeSymlinkAt, openAt, readSymlinkAt } from "../linux/syscalls.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import type { RootfsContext } from "./context.ts";
import type { DiskDestination, OnDisk } from "./disk-directory.ts";
import type { NodeMaker } from "./node-maker.ts";
import { writeContent } from "./write-content.ts";

export const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

const empty: ByteSource = { read: () => undefined };

/** Makes what entries describe on a disk, except directories and hard links. */
export class FileMaker implements FileBackEnd<OnDisk> {
  readonly #context: RootfsContext;
  readonly #nodes: NodeMaker;

  constructor(context: RootfsContext, nodes: NodeMaker) {
    this.#context = context;
    this.#nodes = nodes;
  }

  /** Whether nothing has to go before a file can be made there, and nothing stands in the way of others who make it. */
  #isFree({ parent, name }: DiskDestination): boolean {
    const { fileSystem, handed, tree } = this.#context;
    if (fileSystem.foldsNames || tree.handles.areScarce || parent.own.lower !== undefined) return false;
    if (!parent.own.isMade || parent.child(name) !== undefined) return false;
    if (handed?.newDirectories.isFree(parent, name) === true) return true;
    handed?.settleAt(parent, name);
    return readSymlinkAt(tree.handles.of(parent), name) === -errnos.ENOENT;
  }

  /** Nobody else sees the file before it is complete: the root filesystem is private until then. */
  file(destination: DiskDestination, entry: Entry, body: ByteSource): void {
    const { handed, metadata } = this.#context;
    if (handed?.canTake(destination.parent, entry) === true && this.#isFree(destination)) {
      this.#nodes.made.add(destination.parent, destination.name);
      return handed.give({ directory: destination.parent, name: destination.name, entry }, body);
    }
    const mode = metadata.newMode(entry);
    const file = this.#nodes.make(destination, "openat(O_CREAT|O_EXCL)", (directory, name) =>
      openAt(directory, name, newFile, mode),
    );
    try {
      if (entry.sizeBytes > 0) writeContent(file, entry, body);
      metadata.completeFile(file, entry);
    } finally {
      closeDescriptor(file);
    }
  }

  symlink(destination: DiskDestination, entry: Entry): void {
    this.#nodes.make(destination, "symlinkat", (directory, name) => makeSymlinkAt(directory, name, entry.linkPath));
    this.#complete(destination, entry);
  }

  fifo(destination: DiskDestination, entry: Entry): void {
    const mode = constants.S_IFIFO | this.#context.metadata.newMode(entry);
    this.#nodes.make(destination, "mknodat", (directory, name) => makeNodeAt(directory, name, mode, 0, 0));
    this.#complete(destination, entry);
  }

  device(destination: DiskDestination, entry: Entry): void {
    if (this.#context.isOverlayLayer) checkNoWhiteout(entry);
    const { type, deviceMajor, deviceMinor, path } = entry;
    const kind = type === "character-device" ? constants.S_IFCHR : constants.S_IFBLK;
    const mode = kind | this.#context.metadata.newMode(entry);
    let isDenied = false;
    this.#nodes.make(destination, "mknodat", (directory, name) => {
      const result = makeNodeAt(directory, name, mode, deviceMajor, deviceMinor);
      isDenied = result === -errnos.EPERM;
      return isDenied ? 0 : result;
    });
    const { findings, owners } = this.#context;
    if (!isDenied) this.#complete(destination, entry);
    else if (owners.mayRecord(entry)) this.#standIn(destination, entry);
    else findings.lost(path, "device", `this user may not make the ${deviceName(entry)}`);
  }

  #standIn(destination: DiskDestination, entry: Entry): void {
    this.file(destination, { ...entry, sizeBytes: 0 }, empty);
    this.#context.findings.skipped(entry.path, "device", `an empty file stands for the ${deviceName(entry)}`);
  }

  #complete({ parent, name }: DiskDestination, entry: Entry): void {
    this.#context.metadata.completeNode(this.#context.tree.handles.of(parent), name, entry);
  }
}
