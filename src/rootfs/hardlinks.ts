import { errnos } from "../linux/errno.ts";
import type { Stat } from "../linux/stat.ts";
import { makeLinkAt, renameAt } from "../linux/syscalls.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import type { Entry } from "../tar/entry.ts";
import { ByName } from "./by-name.ts";
import { copyTo, type Original } from "./copy.ts";
import type { Directory } from "./directory.ts";
import type { Files } from "./files.ts";
import { pseudoLinkName } from "./name-meaning.ts";
import type { Place } from "./place.ts";
import type { Places } from "./places.ts";
import type { PseudoLinks } from "./pseudo-links.ts";
import { failure, quoted, refusal } from "./refusal.ts";
import type { Site } from "./site.ts";

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

/** What hard links need of the rest. */
export interface HardlinksParts {
  readonly site: Site;
  readonly places: Places;
  readonly files: Files;
  readonly pseudoLinks: PseudoLinks;
}

/** What stops link(2) for reasons that a copy does not share: other file systems, too many links, protected_hardlinks. */
const copyable = [errnos.EXDEV, errnos.EMLINK, errnos.EPERM, errnos.ENOTSUP, errnos.ENOSYS];

const temporaryName = byteStringOf(".wh..wh.link");

/**
 * The hard links of one layer, in the order of the archive: a link is what its target is at that moment. Only a link to
 * what is not there yet waits, for the end of its layer.
 */
export class Hardlinks {
  readonly #site: Site;
  readonly #places: Places;
  readonly #files: Files;
  readonly #pseudoLinks: PseudoLinks;
  /** By the places where the links are to be. */
  readonly #waiting = new ByName<Directory, Link>();

  constructor({ site, places, files, pseudoLinks }: HardlinksParts) {
    this.#site = site;
    this.#places = places;
    this.#files = files;
    this.#pseudoLinks = pseudoLinks;
  }

  /** Makes a link, or keeps it until its target is there. */
  link(place: Place, entry: Entry): void {
    const targetNames = this.#site.paths.namesOf(entry.linkPath, entry.path);
    if (targetNames.length === 0) throw refusal(entry.path, "a hard link to the root");
    const link = { place, entry, targetNames, replaced: this.#site.tree.directoryAt(place.parent, place.name) };
    if (this.#attempt(link) === undefined) return;
    place.parent.neededIn = this.#places.layer;
    this.#waiting.add(place.parent, place.name, link);
  }

  /** Makes what stands at a place, and is no directory, something that this layer brings: its own whiteouts spare it. */
  claim(place: Place): void {
    const found = this.#site.tree.fileAt(place.parent, place.name, place.path);
    if (found !== undefined) this.#claim(place, { ...found, name: place.name });
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
  #isObsolete({ place: { parent, name }, replaced }: Link): boolean {
    const directory = parent.child(name);
    return parent.isRemoved || (directory !== undefined && directory !== replaced);
  }

  /** Makes a link, or gives the name that has to be there first. */
  #attempt(link: Link): Name | undefined {
    const { place, entry } = link;
    const { target, missing } = this.#targetOf(link);
    if (target === undefined) return missing;
    const { directory, name } = target;
    const { tree } = this.#site;
    if (tree.directoryAt(directory, name) !== undefined) throw refusal(entry.path, "a hard link to a directory");
    const isSelf = directory === place.parent && name === place.name;
    if (this.#waiting.has(directory, name) && !isSelf) return target;
    // Now, because a handle that was asked for stays open only while few others are.
    this.#places.establish(place.parent);
    const found = tree.fileAt(directory, name, entry.path);
    if (found === undefined) return target;
    if (this.#isObsolete(link)) return undefined;
    this.#compare(entry, found.stat);
    if (isSelf) this.#claim(place, { ...found, name });
    else this.#make(place, { ...found, name });
    return undefined;
  }

  /** Follows the target's parents; its last name is itself the target, even where it is a symlink. */
  #targetOf({ targetNames, entry }: Link): { readonly target?: Name; readonly missing?: Name } {
    const { root } = this.#site.tree;
    const name = targetNames.at(-1) ?? byteStringOf("");
    const pseudoLinks = this.#pseudoLinks.directory;
    if (pseudoLinks !== undefined && pseudoLinkName(targetNames) !== undefined) {
      return { target: { directory: pseudoLinks, name } };
    }
    let missing: Name = { directory: root, name };
    const parents = targetNames.slice(0, -1);
    const { directory } = this.#site.tree.walk(root, parents, entry.path, (parent, missingName) => {
      missing = { directory: parent, name: missingName };
      return undefined;
    });
    return directory === undefined ? { missing } : { target: { directory, name } };
  }

  #make(place: Place, original: Original): void {
    // The target may lie in the directory that it is to replace.
    if (place.parent.child(place.name) === undefined) return this.#makeAt(place, original);
    const { handles } = this.#site.tree;
    this.#makeAt({ ...place, name: temporaryName }, original);
    this.#places.vacate(place);
    const handle = handles.of(place.parent);
    const result = renameAt(handle, temporaryName, handle, place.name);
    if (result < 0) throw failure("create", place.path, "renameat", result);
    this.#places.made.delete(place.parent, temporaryName);
    this.#places.made.add(place.parent, place.name);
  }

  #claim(place: Place, original: Original): void {
    if (original.isBelow) copyTo(place, original, this.#site, this.#files);
    else this.#places.made.add(place.parent, place.name);
  }

  #makeAt(place: Place, original: Original): void {
    // A layer of an overlay stands by itself: what it shares with another would be lost with that one.
    if (original.isBelow) return copyTo(place, original, this.#site, this.#files);
    let obstacle = 0;
    this.#places.make(place, "linkat", (handle, newName) => {
      const result = makeLinkAt(original.handle, original.name, handle, newName);
      obstacle = copyable.includes(-result) ? -result : 0;
      return obstacle === 0 ? result : 0;
    });
    if (obstacle !== 0) copyTo(place, original, this.#site, this.#files);
  }

  /** What a link's own header says of the file means nothing (rule H7), but may mean that something else was meant. */
  #compare(entry: Entry, stat: Stat): void {
    if (stat.mode === (entry.mode & 0o7777) && this.#site.owners.isGiven(entry, stat)) return;
    this.#site.findings.noted(
      "LINK_ATTRIBUTES",
      "the link's own mode and owner are ignored: its target has others",
      entry.path,
    );
  }
}
