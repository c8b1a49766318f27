import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import type { BackEnd, DirectoryBackEnd, LayerContext, WhiteoutBackEnd } from "./back-end.ts";
import type { BackEndTypes, Directory, EntryDestination } from "./directory.ts";

/** What a name means when it begins so (image-spec, layer.md, "Whiteouts"; AUFS's own names begin with it twice). */
export const whiteoutPrefix = ".wh.";
const reservedPrefix = ".wh..wh.";
const opaqueName = ".wh..wh..opq";

/** Where AUFS, and with it old Docker images, keeps the content of files that have several names. */
export const pseudoLinkDirectory = byteStringOf(".wh..wh.plnk");

/**
 * What a name makes of its entry, whatever the entry's type. `reserved` names are the layer's own, and mark nothing.
 */
type NameMeaning = "root" | "plain" | "whiteout" | "opaque" | "reserved";

/** Tells what an entry is about by the names that its path consists of. */
export function meaningOf(names: readonly ByteString[]): NameMeaning {
  const name = names.at(-1);
  if (name === undefined) return "root";
  if (names.findIndex((each) => each.startsWith(whiteoutPrefix)) < 0) return "plain";
  if (names.slice(0, -1).some((parent) => parent.startsWith(whiteoutPrefix))) return "reserved";
  if (name === opaqueName) return "opaque";
  return name.startsWith(reservedPrefix) ? "reserved" : "whiteout";
}

/** The same where no name marks anything. */
export function plainMeaningOf(names: readonly ByteString[]): NameMeaning {
  return names.length === 0 ? "root" : "plain";
}

/** The name that a whiteout hides; `undefined` where it names none. */
export function hiddenName(marker: ByteString): ByteString | undefined {
  const name = marker.slice(whiteoutPrefix.length) as ByteString;
  return name === "" || name === "." || name === ".." ? undefined : name;
}

/** The name under which a pseudo-link is kept, where a path is one's. */
export function pseudoLinkName([first, name, ...more]: readonly ByteString[]): ByteString | undefined {
  return first === pseudoLinkDirectory && more.length === 0 ? name : undefined;
}

/**
 * The whiteouts of one layer: they hide what lower layers left, wherever in the layer they stand, and never what the
 * layer itself brings (image-spec, layer.md, "Whiteouts").
 */
export class Whiteouts<Types extends BackEndTypes> {
  readonly #context: LayerContext<Types>;
  readonly #layer: number;
  readonly #directories: DirectoryBackEnd<Types>;
  readonly #backEnd: WhiteoutBackEnd<Types>;

  constructor(
    context: LayerContext<Types>,
    layer: number,
    { directories, whiteouts }: Pick<BackEnd<Types>, "directories" | "whiteouts">,
  ) {
    this.#context = context;
    this.#layer = layer;
    this.#directories = directories;
    this.#backEnd = whiteouts;
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
    this.#directories.establish(directory);
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
      for (const child of directory.directories()) pending.push(child);
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
    if (!isNeeded && this.#directories.removeIfEmpty(directory, path)) return;
    directory.origin = this.#layer;
    this.#directories.reset(directory);
  }
}
