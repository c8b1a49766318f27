import type { ByteString } from "../tar/byte-string.ts";
import type { DirectoryBackEnd, LayerContext } from "./back-end.ts";
import type { BackEndTypes, Directory, EntryDestination } from "./directory.ts";
import { checkedName } from "./entry-checks.ts";
import { entryLimitExceeded, quoted } from "./findings.ts";
import { walk } from "./walk.ts";
import { whiteoutPrefix } from "./whiteouts.ts";

/** Where the entries of one layer are to stand, in directories that are made where they are missing. */
export class Destinations<Types extends BackEndTypes> {
  readonly #context: LayerContext<Types>;
  readonly #backEnd: DirectoryBackEnd<Types>;

  constructor(context: LayerContext<Types>, backEnd: DirectoryBackEnd<Types>) {
    this.#context = context;
    this.#backEnd = backEnd;
  }

  /**
   * The destination of a path, where that is known without taking it apart: most entries follow one in the same
   * directory.
   */
  known(path: ByteString): EntryDestination<Types> | undefined {
    const end = path.endsWith("/") ? path.length - 1 : path.length;
    const start = path.lastIndexOf("/", end - 1) + 1;
    const parent = this.#context.parents?.get(path.slice(0, start) as ByteString);
    if (parent === undefined) return undefined;
    const name = path.slice(start, end) as ByteString;
    const isPlain = name !== "" && name !== "." && name !== ".." && !name.startsWith(whiteoutPrefix);
    return isPlain ? { parent, name: checkedName(name, path), path } : undefined;
  }

  /** The destination of an entry that has a plain name. */
  of(parents: readonly ByteString[], name: ByteString, path: ByteString): EntryDestination<Types> {
    const { directory: parent, links } = this.#route(parents, path);
    const prefix = path.slice(0, path.lastIndexOf("/") + 1) as ByteString;
    // With `..` in it a path depends on more than its directories; without a name at its end it is another's prefix.
    if (path.endsWith(name) && !prefix.includes("..")) this.#context.parents?.set(prefix, parent, links);
    return { parent, name, path };
  }

  /**
   * The directory that names lead to. What is missing on the way is made, also at the end of a symlink or where a file
   * is.
   */
  directory(names: readonly ByteString[], path: ByteString): Directory<Types> {
    return this.#route(names, path).directory;
  }

  /** Makes a directory, in the stead of whatever is there. */
  makeDirectory(destination: EntryDestination<Types>, mode: number): Directory<Types> {
    const { depth } = destination.parent;
    const { pathDepth } = this.#context.settings.limits;
    if (depth < pathDepth) return this.#backEnd.makeDirectory(destination, mode);
    throw entryLimitExceeded(destination.path, `a directory below ${depth} others`, "pathDepth", pathDepth);
  }

  #route(
    names: readonly ByteString[],
    path: ByteString,
  ): { readonly directory: Directory<Types>; readonly links: number } {
    const { entries, findings, implied, tree } = this.#context;
    const { directory, links } = walk(tree, tree.root, names, path, (parent, name, isOccupied) => {
      const destination = { parent, name, path };
      // One long path makes thousands of them.
      entries.spend(1, path);
      if (isOccupied) {
        findings.repaired("PARENT_REPLACED", `${quoted(name)} was no directory and is replaced by one`, path);
        this.#backEnd.remove(destination);
      }
      return this.makeDirectory(destination, implied.mode);
    });
    if (directory === undefined) throw new TypeError("names whose directories are made lead to one");
    return { directory, links };
  }
}
