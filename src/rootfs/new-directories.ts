import { type ByteString, ownCopy } from "../tar/byte-string.ts";
import type { DiskDirectory } from "./disk-directory.ts";

/** So many directories and names are remembered, those that came last: archives go through a tree in order. */
const mostDirectories = 256;
const mostNames = 8192;

/**
 * The names in directories that were made lately: nothing else is in these, so that nobody has to ask the kernel. It
 * would look the name up, and forget it, before the file is made.
 */
export class NewDirectories {
  /** The oldest first. */
  readonly #names = new Map<DiskDirectory, Set<ByteString>>();
  #count = 0;

  /** Takes note of a directory that is empty. */
  begin(directory: DiskDirectory): void {
    if (this.#names.size >= mostDirectories) this.#forgetOldest();
    this.#names.set(directory, new Set());
  }

  /** Takes note of a name that something has now. */
  add(directory: DiskDirectory, name: ByteString): void {
    if (this.#count >= mostNames) this.#forgetOldest();
    const names = this.#names.get(directory);
    if (names === undefined || names.has(name)) return;
    names.add(ownCopy(name));
    this.#count += 1;
  }

  /** Whether nothing stands at a name. False also where that is not known. */
  isFree(directory: DiskDirectory, name: ByteString): boolean {
    return this.#names.get(directory)?.has(name) === false;
  }

  #forgetOldest(): void {
    for (const [directory, names] of this.#names) {
      this.#names.delete(directory);
      this.#count -= names.size;
      return;
    }
  }
}
