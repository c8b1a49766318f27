import type { Place } from "../layer/place.ts";
import type { WhiteoutPolicy } from "../layer/whiteout-policy.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { Directory } from "./directory.ts";
import { bytesOfXattrs } from "./in-memory.ts";
import type { Merging } from "./merging.ts";
import type { Places } from "./places.ts";

/**
 * The whiteouts of one layer: they hide what lower layers left, wherever in the layer they stand, and never what the
 * layer itself brings (image-spec, layer.md, "Whiteouts").
 */
export class Whiteouts implements WhiteoutPolicy<Directory> {
  readonly #merging: Merging;
  readonly #places: Places;
  readonly #layer: number;

  constructor(merging: Merging, places: Places) {
    this.#merging = merging;
    this.#places = places;
    this.#layer = places.layer;
  }

  /** Hides what lower layers have at a place and below it. */
  hide({ parent, name, path }: Place<Directory>): void {
    const child = parent.knownChild(name);
    if (child instanceof Directory) {
      this.#clear(child);
      this.#settle(child);
    } else if (child !== undefined || parent.isUnknown(name)) {
      if (child?.layer !== this.#layer) this.#places.remove(parent, name);
    } else {
      this.noteNothing(path);
    }
  }

  /** A whiteout of what is not there, or of what is nowhere. */
  noteNothing(path: ByteString): void {
    this.#merging.findings.noted("WHITEOUT_WITHOUT_TARGET", "the whiteout hides nothing", path);
  }

  /** Hides everything that lower layers have in a directory, and keeps the directory. */
  hideAllIn(directory: Directory): void {
    directory.neededIn = this.#layer;
    this.#clear(directory);
  }

  /** Removes everything of lower layers below a directory. */
  #clear(top: Directory): void {
    const pending = [top];
    const order: Directory[] = [];
    for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
      order.push(directory);
      directory.close();
      if (directory.clearedIn === this.#layer) continue;
      directory.clearedIn = this.#layer;
      for (const [name, child] of directory.knownChildren()) {
        if (child instanceof Directory) pending.push(child);
        else if (child.layer !== this.#layer) this.#places.remove(directory, name);
      }
    }
    for (const directory of order.reverse()) if (directory !== top) this.#settle(directory);
  }

  /**
   * Decides about a directory in which nothing of lower layers is left. It stays if this layer has something in it, or
   * an entry for it; without an entry it is a new directory that happens to have the name of the lower one.
   */
  #settle(directory: Directory): void {
    const { implied, memory } = this.#merging;
    const { parent, name } = directory;
    if (directory.layer === this.#layer || parent === undefined) return;
    if (directory.neededIn !== this.#layer && directory.isEmpty) {
      this.#places.remove(parent, name);
      return;
    }
    memory.release(bytesOfXattrs(directory.attributes));
    directory.attributes = implied;
    directory.origin = this.#layer;
  }
}
