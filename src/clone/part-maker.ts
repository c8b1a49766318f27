import { errnos } from "../linux/errno.ts";
import { findDirectoryBeneath, makeDirectoryAt } from "../linux/syscalls.ts";
import { Descent } from "../rootfs/descent.ts";
import { failure } from "../rootfs/failure.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import type { Visitor } from "./kept-walk.ts";
import type { NewFiles } from "./new-files.ts";
import type { LeaveStep, Listed, ListedName } from "./tree-list.ts";

const dot = byteStringOf(".");

/** Makes what a part lists, beneath an open directory. */
export class PartMaker implements Visitor, Disposable {
  readonly #descent: Descent;
  readonly #files: NewFiles;
  readonly #names: ByteString[] = [];

  constructor(root: number, files: NewFiles) {
    this.#descent = new Descent(root, (call, result) => failure("clone into", this.#names.at(-1) ?? dot, call, result));
    this.#files = files;
  }

  enter({ name, mode }: ListedName): void {
    const parent = this.#descent.descriptor;
    const result = makeDirectoryAt(parent, name, this.#files.newDirectoryMode(mode));
    // Another thread may have made it.
    if (result < 0 && result !== -errnos.EEXIST) throw failure("create", name, "mkdirat", result);
    const directory = findDirectoryBeneath(parent, name);
    if (directory < 0) throw failure("create", name, "openat2", directory);
    this.#descent.enter(directory);
    this.#names.push(name);
  }

  leave({ attributes }: LeaveStep): void {
    const name = this.#names.pop() ?? dot;
    const parent = this.#descent.above();
    if (attributes !== undefined) this.#files.completeDirectory(parent, name, attributes);
    this.#descent.leave();
  }

  visit(listed: Listed, source: number): void {
    this.#files.make(listed, source, this.#descent.descriptor);
  }

  [Symbol.dispose](): void {
    this.#descent[Symbol.dispose]();
  }
}
