import type { ByteString } from "../tar/byte-string.ts";
import type { LayerContext } from "./context.ts";
import type { EntryDestination } from "./destinations.ts";
import type { BackEndTypes, Directory } from "./directory.ts";

/**
 * What whiteouts ask of whatever holds the tree: a disk, memory, or a layer of an overlay. A file is here what is no
 * directory. `path` is the whiteout's own, for messages.
 */
export interface WhiteoutBackEnd<Types extends BackEndTypes> {
  /** Whether a file stands at a name, or may do so. */
  isFileAt(parent: Directory<Types>, name: ByteString): boolean;
  /** Whether the file at a name is this layer's. */
  isOwnFile(parent: Directory<Types>, name: ByteString): boolean;
  /** Removes the file of a lower layer at a name. */
  removeFile(parent: Directory<Types>, name: ByteString, path: ByteString): void;
  /** The directories in a directory, this layer's and those of lower layers. */
  directoriesIn(directory: Directory<Types>): Iterable<Directory<Types>>;
  /** The names of the files in a directory that may be of lower layers. */
  filesIn(directory: Directory<Types>, path: ByteString): Iterable<ByteString>;
  /** Says of a directory that this layer has it, too. */
  establish(directory: Directory<Types>): void;
  /** Says of a directory that lower layers have nothing in it but what was asked for here. */
  cutOff(directory: Directory<Types>): void;
  /** Removes a directory unless there is something in it, and tells whether it is gone. */
  isRemovedIfEmpty(directory: Directory<Types>, path: ByteString): boolean;
  /** Gives a directory the attributes of one that no entry describes. */
  reset(directory: Directory<Types>): void;
}

/**
 * The whiteouts of one layer: they hide what lower layers left, wherever in the layer they stand, and never what the
 * layer itself brings (image-spec, layer.md, "Whiteouts").
 */
export class Whiteouts<Types extends BackEndTypes> {
  readonly #context: LayerContext<Types>;
  readonly #layer: number;
  readonly #backEnd: WhiteoutBackEnd<Types>;

  constructor(context: LayerContext<Types>, layer: number, backEnd: WhiteoutBackEnd<Types>) {
    this.#context = context;
    this.#layer = layer;
    this.#backEnd = backEnd;
  }

  /** Hides what lower layers have at a name and below it. */
  hide({ parent, name, path }: EntryDestination<Types>): void {
    const directory = this.#context.tree.knownDirectoryAt(parent, name);
    if (directory !== undefined) {
      this.#clear(directory, path);
      this.#settle(directory, path);
    } else if (!this.#backEnd.isFileAt(parent, name)) {
      this.noteNothing(path);
    } else if (!this.#backEnd.isOwnFile(parent, name)) {
      this.#backEnd.removeFile(parent, name, path);
    }
  }

  /** Hides everything that lower layers have in a directory, and keeps the directory. */
  hideAllIn(directory: Directory<Types>, path: ByteString): void {
    this.#backEnd.establish(directory);
    directory.neededIn = this.#layer;
    this.#clear(directory, path);
  }

  /** A whiteout of what is not there, or of what is nowhere. */
  noteNothing(path: ByteString): void {
    this.#context.findings.noted("WHITEOUT_WITHOUT_TARGET", "the whiteout hides nothing", path);
  }

  /** Removes everything of lower layers below a directory, once in a layer. */
  #clear(top: Directory<Types>, path: ByteString): void {
    const pending = [top];
    const order: Directory<Types>[] = [];
    for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
      order.push(directory);
      if (directory.clearedIn === this.#layer) continue;
      directory.clearedIn = this.#layer;
      for (const child of this.#backEnd.directoriesIn(directory)) pending.push(child);
      this.#backEnd.cutOff(directory);
      this.#clearFiles(directory, path);
    }
    for (const directory of order.reverse()) if (directory !== top) this.#settle(directory, path);
  }

  #clearFiles(directory: Directory<Types>, path: ByteString): void {
    for (const name of this.#backEnd.filesIn(directory, path)) {
      if (!this.#backEnd.isOwnFile(directory, name)) this.#backEnd.removeFile(directory, name, path);
    }
  }

  /**
   * Decides about a directory in which nothing of lower layers is left. It stays if this layer has something in it, or
   * an entry for it; without an entry it is a new directory that happens to have the name of the lower one.
   */
  #settle(directory: Directory<Types>, path: ByteString): void {
    if (directory.layer === this.#layer) return;
    const isNeeded = directory.neededIn === this.#layer;
    if (!isNeeded && this.#backEnd.isRemovedIfEmpty(directory, path)) return;
    directory.origin = this.#layer;
    this.#backEnd.reset(directory);
  }
}
