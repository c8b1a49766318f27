import { failure } from "../layer/refusal.ts";
import type { WhiteoutPolicy } from "../layer/whiteout-policy.ts";
import { readEntries, rewindEntries } from "../linux/directory-entries.ts";
import { errnos } from "../linux/errno.ts";
import { statAt } from "../linux/stat.ts";
import { removeDirectoryAt, unlinkAt } from "../linux/syscalls.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { Directory } from "./directory.ts";
import type { Place } from "./place.ts";
import type { Places } from "./places.ts";
import type { Site } from "./site.ts";

/**
 * The whiteouts of one layer: they hide what lower layers left, wherever in the layer they stand, and never what the
 * layer itself brings (image-spec, layer.md, "Whiteouts").
 */
export class Whiteouts implements WhiteoutPolicy<Directory> {
  readonly #site: Site;
  readonly #places: Places;

  constructor(site: Site, places: Places) {
    this.#site = site;
    this.#places = places;
  }

  /** Hides what lower layers have at a place and below it. */
  hide(place: Place): void {
    const { parent, name, path } = place;
    const child = parent.child(name);
    if (child !== undefined) {
      this.#clear(child, path);
      this.#settle(child, path);
    } else if (!this.#isHidden(place)) {
      this.noteNothing(path);
    }
  }

  /** A whiteout of what is not there, or of what is nowhere. */
  noteNothing(path: ByteString): void {
    this.#site.findings.noted("WHITEOUT_WITHOUT_TARGET", "the whiteout hides nothing", path);
  }

  /** Hides everything that lower layers have in a directory, and keeps the directory. */
  hideAllIn(directory: Directory, path: ByteString): void {
    directory.neededIn = this.#places.layer;
    this.#clear(directory, path);
  }

  /** Whether a name that is no directory's is there to be hidden, be it this layer's, which stays. */
  #isHidden({ parent, name, path }: Place): boolean {
    const handle = this.#site.tree.handles.of(parent);
    if (this.#places.made.has(parent, name)) return typeof statAt(handle, name) !== "number";
    return this.#unlink(handle, name, path);
  }

  /** Removes everything of lower layers below a directory. */
  #clear(top: Directory, path: ByteString): void {
    const pending = [top];
    const order: Directory[] = [];
    for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
      order.push(directory);
      if (directory.clearedIn === this.#places.layer) continue;
      for (const child of directory.children) pending.push(child);
      this.#clearFiles(directory, path);
      directory.clearedIn = this.#places.layer;
    }
    for (const directory of order.reverse()) if (directory !== top) this.#settle(directory, path);
  }

  #clearFiles(directory: Directory, path: ByteString): void {
    const handle = this.#site.tree.handles.opened(directory);
    rewindEntries(handle);
    for (;;) {
      const entries = readEntries(handle);
      if (typeof entries === "number") throw failure("apply", path, "getdents64", entries);
      if (entries.length === 0) return;
      for (const { name } of entries) {
        const isKept = directory.child(name) !== undefined || this.#places.made.has(directory, name);
        if (!isKept && !isOurs(name)) this.#unlink(handle, name, path);
      }
    }
  }

  /**
   * Decides about a directory in which nothing of lower layers is left. It stays if this layer has something in it, or
   * an entry for it; without an entry it is a new directory that happens to have the name of the lower one.
   */
  #settle(directory: Directory, path: ByteString): void {
    const { layer } = this.#places;
    if (directory.layer === layer || directory.parent === undefined) return;
    const { directories, parents, tree } = this.#site;
    if (directory.neededIn !== layer) {
      const result = removeDirectoryAt(tree.handles.of(directory.parent), directory.name);
      if (result === 0) {
        tree.forget(directory);
        parents.directoryIsGone();
        return;
      }
      if (result !== -errnos.ENOTEMPTY) throw failure("apply", path, "unlinkat(AT_REMOVEDIR)", result);
    }
    directories.reset(directory);
  }

  #unlink(handle: number, name: ByteString, path: ByteString): boolean {
    const result = unlinkAt(handle, name);
    if (result < 0 && result !== -errnos.ENOENT) throw failure("apply", path, "unlinkat", result);
    this.#site.parents.linkMayBeGone();
    return result === 0;
  }
}

/** Names that no layer can have made, because in a layer they would mean something else. */
function isOurs(name: ByteString): boolean {
  return name.startsWith(".wh.");
}
