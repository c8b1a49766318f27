import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import type { Entry } from "../tar/entry.ts";
import { ByName } from "./by-name.ts";
import type { LayerContext } from "./context.ts";
import type { BackEndTypes, Directory } from "./directory.ts";
import { pseudoLinkName } from "./name-meaning.ts";
import type { Place } from "./place.ts";
import { quoted, refusal } from "./refusal.ts";
import { walk } from "./walk.ts";

/** A name in a directory, whether anything stands there or not. */
interface Name<Types extends BackEndTypes> {
  readonly directory: Directory<Types>;
  readonly name: ByteString;
}

/** What a link's own header says of its file. */
export type Stated = Pick<Entry, "mode" | "uid" | "gid">;

/** A link that is to be made, and nothing of its entry that is not needed for it: it may have to wait. */
interface Link<Types extends BackEndTypes> {
  readonly place: Place<Types>;
  /** The names of the path that it leads to, between slashes: in one text they take the least. */
  readonly target: ByteString;
  readonly stated: Stated;
  /** The directory that the link is to replace, if there is one. */
  readonly replaced: Directory<Types> | undefined;
}

/**
 * What a link that waits takes in memory besides its texts. Measured on Node 20 with 100,000 of them: 301 bytes; and at the
 * end of the layer half as much for knowing what it waits for.
 */
const waitingBytes = 480;

/**
 * The hard links of one layer, in the order of the archive: a link is what its target is at that moment. Only a link to
 * what is not there yet waits, for the end of its layer.
 */
export abstract class Hardlinks<Types extends BackEndTypes, File> {
  readonly #context: LayerContext<Types>;
  readonly #layer: number;
  /** By the places where the links are to be. */
  readonly #waiting = new ByName<Types, Link<Types>>();

  constructor(context: LayerContext<Types>, layer: number) {
    this.#context = context;
    this.#layer = layer;
  }

  /** The directory that holds AUFS's pseudo-links, if there are any. */
  protected abstract pseudoLinks(): Directory<Types> | undefined;
  /** What stands at a name that is no directory's, for a link that is to be made at `place`. */
  protected abstract fileAt(directory: Directory<Types>, name: ByteString, place: Place<Types>): File | undefined;
  /** Whether a file has the mode and the owner that the link's own header states. */
  protected abstract isAsStated(file: File, stated: Stated): boolean;
  /** Gives a file a further name, in the stead of whatever is there. */
  protected abstract make(place: Place<Types>, file: File): void;
  /** Makes the file that stands at a place something that this layer brings: its own whiteouts spare it. */
  protected abstract claim(place: Place<Types>, file: File): void;

  /** Makes a link, or keeps it until its target is there. */
  link(place: Place<Types>, entry: Entry): void {
    const targetNames = this.#context.paths.namesOf(entry.linkPath, entry.path);
    if (targetNames.length === 0) throw refusal(entry.path, "a hard link to the root");
    const { mode, uid, gid } = entry;
    const target = targetNames.join("/") as ByteString;
    const link = { place, target, stated: { mode, uid, gid }, replaced: this.#directoryAt(place) };
    if (this.#attempt(link) === undefined) return;
    place.parent.neededIn = this.#layer;
    this.#context.memory.spend(bytesOf(link), "hard links that wait for their targets");
    this.#waiting.add(place.parent, place.name, link);
  }

  /** To be called when an entry is about to stand where a link may be waited for: the later entry wins. */
  supersede({ parent, name }: Place<Types>): void {
    if (!this.#waiting.isEmpty) this.#forget(this.#waiting.take(parent, name));
  }

  /**
   * Makes the links that waited. Each is tried again when the name appears that it was held up by, so that chains of
   * links in any order take time in proportion to their length.
   */
  end(): void {
    const heldUp = new ByName<Types, Link<Types>>();
    const unsettled = new Set(this.#waiting.all());
    const ready = [...unsettled].reverse();
    for (let link = ready.pop(); link !== undefined; link = ready.pop()) {
      const { parent, name } = link.place;
      const missing = this.#attempt(link);
      if (missing !== undefined) {
        heldUp.add(missing.directory, missing.name, link);
        continue;
      }
      unsettled.delete(link);
      this.#forget(this.#waiting.take(parent, name));
      for (const next of heldUp.take(parent, name)) ready.push(next);
    }
    for (const { place, target } of unsettled) {
      throw refusal(place.path, `a hard link to ${quoted(target)}, which is not there`);
    }
  }

  #forget(links: readonly Link<Types>[]): void {
    for (const link of links) this.#context.memory.release(bytesOf(link));
  }

  /** Whether, since the link began to wait, a directory came to stand in its place, or its own directory went. */
  #isObsolete({ place, replaced }: Link<Types>): boolean {
    if (place.parent.isRemoved) return true;
    const directory = this.#directoryAt(place);
    return directory !== undefined && directory !== replaced;
  }

  #directoryAt({ parent, name }: Place<Types>): Directory<Types> | undefined {
    return this.#context.tree.knownDirectoryAt(parent, name);
  }

  /** Makes a link, or gives the name that has to be there first. */
  #attempt(link: Link<Types>): Name<Types> | undefined {
    const { place, stated } = link;
    const { target, missing } = this.#targetOf(link);
    if (target === undefined) return missing;
    const { directory, name } = target;
    if (this.#context.tree.directoryAt(directory, name) !== undefined) {
      throw refusal(place.path, "a hard link to a directory");
    }
    const isSelf = directory === place.parent && name === place.name;
    if (this.#waiting.has(directory, name) && !isSelf) return target;
    const file = this.fileAt(directory, name, place);
    if (file === undefined) return target;
    if (this.#isObsolete(link)) return undefined;
    this.#compare(stated, file, place.path);
    if (isSelf) this.claim(place, file);
    else this.make(place, file);
    return undefined;
  }

  /** Follows the target's parents; its last name is itself the target, even where it is a symlink. */
  #targetOf({ place, target }: Link<Types>): {
    readonly target?: Name<Types>;
    readonly missing?: Name<Types>;
  } {
    const targetNames = target.split("/") as ByteString[];
    const { tree } = this.#context;
    const name = targetNames.at(-1) ?? byteStringOf("");
    const pseudoLinks = this.pseudoLinks();
    if (pseudoLinks !== undefined && pseudoLinkName(targetNames) !== undefined) {
      return { target: { directory: pseudoLinks, name } };
    }
    let missing = { directory: tree.root, name };
    const { directory } = walk(tree, tree.root, targetNames.slice(0, -1), place.path, (parent, missingName) => {
      missing = { directory: parent, name: missingName };
      return undefined;
    });
    return directory === undefined ? { missing } : { target: { directory, name } };
  }

  /** What a link's own header says of the file means nothing (rule H7), but may mean that something else was meant. */
  #compare(stated: Stated, file: File, path: ByteString): void {
    if (this.isAsStated(file, stated)) return;
    const message = "the link's own mode and owner are ignored: its target has others";
    this.#context.findings.noted("LINK_ATTRIBUTES", message, path);
  }
}

function bytesOf<Types extends BackEndTypes>({ place, target }: Link<Types>): number {
  return waitingBytes + place.path.length + target.length;
}
