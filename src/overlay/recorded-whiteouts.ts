import { failure } from "../layer/refusal.ts";
import type { WhiteoutPolicy } from "../layer/whiteout-policy.ts";
import { errnos } from "../linux/errno.ts";
import { statAt } from "../linux/stat.ts";
import { removeDirectoryAt } from "../linux/syscalls.ts";
import type { Directory } from "../rootfs/directory.ts";
import type { Place } from "../rootfs/place.ts";
import type { Places } from "../rootfs/places.ts";
import type { Site } from "../rootfs/site.ts";
import type { ByteString } from "../tar/byte-string.ts";

/**
 * The whiteouts of an overlay's layer: what they hide lies in other directories, and is left alone there. It is noted in
 * the tree, and what has to be marked on disk is marked when the layer is complete.
 */
export class RecordedWhiteouts implements WhiteoutPolicy<Directory> {
  readonly #site: Site;
  readonly #places: Places;

  constructor(site: Site, places: Places) {
    this.#site = site;
    this.#places = places;
  }

  hide({ parent, name, path }: Place): void {
    const { parents, tree } = this.#site;
    const directory = tree.directoryAt(parent, name);
    const isOurs = directory === undefined && this.#isOurs(parent, name);
    if (directory === undefined && !isOurs && tree.below(parent, name) === undefined) return this.noteNothing(path);
    tree.hide(parent, name);
    if (directory !== undefined) {
      this.#cut(directory, path);
      this.#settle(directory, path);
    }
    parents.linkMayBeGone();
  }

  noteNothing(path: ByteString): void {
    this.#site.findings.noted("WHITEOUT_WITHOUT_TARGET", "the whiteout hides nothing", path);
  }

  hideAllIn(directory: Directory, path: ByteString): void {
    this.#places.establish(directory);
    directory.neededIn = this.#places.layer;
    this.#cut(directory, path);
    this.#site.parents.linkMayBeGone();
  }

  /** Cuts off all that is in a directory from what the layers below have there, once. */
  #cut(top: Directory, path: ByteString): void {
    const { layer } = this.#places;
    const pending = [top];
    const order: Directory[] = [];
    for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
      order.push(directory);
      if (directory.clearedIn === layer) continue;
      directory.clearedIn = layer;
      for (const child of directory.children) pending.push(child);
      this.#cutOff(directory);
    }
    for (const directory of order.reverse()) if (directory !== top) this.#settle(directory, path);
  }

  /**
   * Decides about a directory that has nothing of the layers below any more. It stays if this layer has something in it,
   * or an entry for it; without an entry it is a new directory that happens to have the name of the old one.
   */
  #settle(directory: Directory, path: ByteString): void {
    const { layer } = this.#places;
    const { directories } = this.#site;
    if (directory.layer === layer) return;
    if (directory.neededIn !== layer && this.#isGone(directory, path)) return;
    this.#places.establish(directory);
    directories.reset(directory);
  }

  #isGone(directory: Directory, path: ByteString): boolean {
    const { parents, tree } = this.#site;
    const { parent, name, isMade } = directory;
    if (parent === undefined) return false;
    const result = isMade ? removeDirectoryAt(tree.handles.of(parent), name) : 0;
    if (result === -errnos.ENOTEMPTY) return false;
    if (result < 0) throw failure("apply", path, "unlinkat(AT_REMOVEDIR)", result);
    tree.forget(directory);
    parents.directoryIsGone();
    return true;
  }

  #isOurs(parent: Directory, name: ByteString): boolean {
    return parent.isMade && typeof statAt(this.#site.tree.handles.of(parent), name) !== "number";
  }

  /** The root of a layer cannot hide as a whole: an overlay never asks whether it does. */
  #cutOff(directory: Directory): void {
    const { tree } = this.#site;
    if (directory.parent !== undefined) tree.cutOff(directory);
    else for (const name of directory.lower?.names() ?? []) tree.hide(directory, name);
  }
}
