import { Hardlinks, type Stated } from "../layer/hardlinks.ts";
import { failure } from "../layer/refusal.ts";
import { errnos } from "../linux/errno.ts";
import { makeLinkAt, renameAt } from "../linux/syscalls.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import { copyTo, type Original } from "./copy.ts";
import type { DiskDirectory, OnDisk, Place } from "./directory.ts";
import type { Files } from "./files.ts";
import type { Places } from "./places.ts";
import type { PseudoLinks } from "./pseudo-links.ts";
import type { Site } from "./site.ts";

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

/** The hard links of one layer, on a disk. */
export class DiskHardlinks extends Hardlinks<OnDisk, Original> {
  readonly #site: Site;
  readonly #places: Places;
  readonly #files: Files;
  readonly #pseudoLinks: PseudoLinks;

  constructor({ site, places, files, pseudoLinks }: HardlinksParts) {
    super(site, places.layer);
    this.#site = site;
    this.#places = places;
    this.#files = files;
    this.#pseudoLinks = pseudoLinks;
  }

  /** Makes what stands at a place, and is no directory, something that this layer brings: its own whiteouts spare it. */
  claimAt(place: Place): void {
    const found = this.#site.tree.fileAt(place.parent, place.name, place.path);
    if (found !== undefined) this.claim(place, { ...found, name: place.name });
  }

  protected override pseudoLinks(): DiskDirectory | undefined {
    return this.#pseudoLinks.directory;
  }

  protected override fileAt(directory: DiskDirectory, name: ByteString, { parent, path }: Place): Original | undefined {
    // Now, because a handle that was asked for stays open only while few others are.
    this.#places.establish(parent);
    const found = this.#site.tree.fileAt(directory, name, path);
    return found && { ...found, name };
  }

  protected override isAsStated({ stat }: Original, stated: Stated): boolean {
    return stat.mode === (stated.mode & 0o7777) && this.#site.owners.isGiven(stated, stat);
  }

  protected override make(place: Place, original: Original): void {
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

  protected override claim(place: Place, original: Original): void {
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
}
