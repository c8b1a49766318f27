import { ByName } from "../rootfs/by-name.ts";
import { pseudoLinkName } from "../rootfs/name-meaning.ts";
import { quoted, refusal } from "../rootfs/refusal.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import type { Entry } from "../tar/entry.ts";
import { Directory } from "./directory.ts";
import type { Merging } from "./merging.ts";
import type { Place, Places } from "./places.ts";
import { fileOf, type TreeFile } from "./tree-file.ts";
import { walk } from "./walk.ts";

/** A name in a directory, whether anything stands there or not. */
interface Name {
  readonly directory: Directory;
  readonly name: ByteString;
}

/** A link that is to be made. */
interface Link {
  readonly place: Place;
  readonly entry: Entry;
  readonly targetNames: readonly ByteString[];
  /** The directory that the link is to replace, if there is one. */
  readonly replaced: Directory | undefined;
}

/**
 * The hard links of one layer, in the order of the archive: a link is what its target is at that moment. Only a link to
 * what is not there yet waits, for the end of its layer.
 */
export class Hardlinks {
  readonly #merging: Merging;
  readonly #places: Places;
  /** AUFS's pseudo-links: targets of links, and no part of the tree (rules W20, H13). */
  readonly #pseudoLinks: Directory;
  /** By the places where the links are to be. */
  readonly #waiting = new ByName<Directory, Link>();

  constructor(merging: Merging, places: Places, pseudoLinks: Directory) {
    this.#merging = merging;
    this.#places = places;
    this.#pseudoLinks = pseudoLinks;
  }

  /** Makes a link, or keeps it until its target is there. */
  link(place: Place, entry: Entry): void {
    const targetNames = this.#merging.paths.namesOf(entry.linkPath, entry.path);
    if (targetNames.length === 0) throw refusal(entry.path, "a hard link to the root");
    const link = { place, entry, targetNames, replaced: directoryAt(place) };
    if (this.#attempt(link) === undefined) return;
    place.parent.neededIn = this.#places.layer;
    this.#waiting.add(place.parent, place.name, link);
  }

  /** To be called when an entry is about to stand where a link may be waited for: the later entry wins. */
  supersede({ parent, name }: Place): void {
    if (!this.#waiting.isEmpty) this.#waiting.take(parent, name);
  }

  /**
   * Makes the links that waited. Each is tried again when the name appears that it was held up by, so that chains of
   * links in any order take time in proportion to their length.
   */
  end(): void {
    const heldUp = new ByName<Directory, Link>();
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
      this.#waiting.take(parent, name);
      for (const next of heldUp.take(parent, name)) ready.push(next);
    }
    for (const { entry } of unsettled) {
      throw refusal(entry.path, `a hard link to ${quoted(entry.linkPath)}, which is not there`);
    }
  }

  /** Whether, since the link began to wait, a directory came to stand in its place, or its own directory went. */
  #isObsolete({ place, replaced }: Link): boolean {
    const directory = directoryAt(place);
    return place.parent.isRemoved || (directory !== undefined && directory !== replaced);
  }

  /** Makes a link, or gives the name that has to be there first. */
  #attempt(link: Link): Name | undefined {
    const { place, entry } = link;
    const { target, missing } = this.#targetOf(link);
    if (target === undefined) return missing;
    const { directory, name } = target;
    const child = directory.child(name);
    if (child instanceof Directory) throw refusal(entry.path, "a hard link to a directory");
    const isSelf = directory === place.parent && name === place.name;
    if (this.#waiting.has(directory, name) && !isSelf) return target;
    if (child === undefined) return target;
    if (this.#isObsolete(link)) return undefined;
    this.#compare(entry, fileOf(child));
    if (isSelf) child.layer = this.#places.layer;
    else this.#make(place, fileOf(child));
    return undefined;
  }

  /** Follows the target's parents; its last name is itself the target, even where it is a symlink. */
  #targetOf({ targetNames, entry }: Link): { readonly target?: Name; readonly missing?: Name } {
    const { root } = this.#merging;
    const name = targetNames.at(-1) ?? byteStringOf("");
    if (!this.#pseudoLinks.isEmpty && pseudoLinkName(targetNames) !== undefined) {
      return { target: { directory: this.#pseudoLinks, name } };
    }
    let missing: Name = { directory: root, name };
    const directory = walk(root, root, targetNames.slice(0, -1), entry.path, (parent, missingName) => {
      missing = { directory: parent, name: missingName };
      return undefined;
    });
    return directory === undefined ? { missing } : { target: { directory, name } };
  }

  #make(place: Place, file: TreeFile): void {
    // As on a disk, where the target may lie in the directory that the link replaces: that goes first, unnoticed.
    if (directoryAt(place) !== undefined) this.#places.vacate(place);
    this.#places.put(place, file);
  }

  /** What a link's own header says of the file means nothing (rule H7), but may mean that something else was meant. */
  #compare({ path, mode, uid, gid }: Entry, file: TreeFile): void {
    if (file.mode === (mode & 0o7777) && file.uid === uid && file.gid === gid) return;
    this.#merging.findings.noted(
      "LINK_ATTRIBUTES",
      "the link's own mode and owner are ignored: its target has others",
      path,
    );
  }
}

function directoryAt({ parent, name }: Place): Directory | undefined {
  const child = parent.knownChild(name);
  return child instanceof Directory ? child : undefined;
}
