import { checkedName } from "../layer/entry-checks.ts";
import { LayerEntries } from "../layer/layer-entries.ts";
import { whiteoutPrefix } from "../layer/name-meaning.ts";
import type { WhiteoutBackEnd } from "../layer/whiteouts.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { Entry } from "../tar/entry.ts";
import type { DiskDirectory, OnDisk, Place } from "./directory.ts";
import { Files } from "./files.ts";
import { DiskHardlinks } from "./hardlinks.ts";
import { Places } from "./places.ts";
import { PseudoLinks } from "./pseudo-links.ts";
import type { Site } from "./site.ts";

/** What becomes of the whiteouts of one layer. */
export type WhiteoutsOf = (site: Site, places: Places) => WhiteoutBackEnd<OnDisk>;

/** Applies the entries of one layer to a disk. */
export class LayerApplier extends LayerEntries<OnDisk> {
  readonly #site: Site;
  readonly #places: Places;
  readonly #pseudoLinks: PseudoLinks;
  readonly #hardlinks: DiskHardlinks;

  /** `layer` counts from the bottom, from 0. */
  constructor(site: Site, layer: number, whiteoutsOf: WhiteoutsOf) {
    const places = new Places(site, layer);
    const files = new Files(site, places);
    const pseudoLinks = new PseudoLinks(site);
    const hardlinks = new DiskHardlinks({ site, places, files, pseudoLinks });
    super(site, layer, { files, hardlinks, whiteouts: whiteoutsOf(site, places) });
    this.#site = site;
    this.#places = places;
    this.#pseudoLinks = pseudoLinks;
    this.#hardlinks = hardlinks;
  }

  override end(): void {
    super.end();
    this.#pseudoLinks.end();
    this.#places.made.clear();
  }

  /** Most entries follow one in the same directory, and have a plain name. */
  protected override knownPlace(path: ByteString): Place | undefined {
    const end = path.endsWith("/") ? path.length - 1 : path.length;
    const start = path.lastIndexOf("/", end - 1) + 1;
    const parent = this.#site.parents.get(path.slice(0, start) as ByteString);
    if (parent === undefined) return undefined;
    const name = path.slice(start, end) as ByteString;
    const isPlain = name !== "" && name !== "." && name !== ".." && !name.startsWith(whiteoutPrefix);
    return isPlain ? { parent, name: checkedName(name, path), path } : undefined;
  }

  protected override placeFor(parents: readonly ByteString[], name: ByteString, path: ByteString): Place {
    const { directory: parent, links } = this.#places.wayTo(parents, path);
    const prefix = path.slice(0, path.lastIndexOf("/") + 1) as ByteString;
    // With `..` in it a path depends on more than its directories; without a name at its end it is another's prefix.
    if (path.endsWith(name) && !prefix.includes("..")) this.#site.parents.set(prefix, parent, links);
    return { parent, name, path };
  }

  protected override wayTo(names: readonly ByteString[], path: ByteString): DiskDirectory {
    return this.#places.wayTo(names, path).directory;
  }

  protected override pseudoLinks(): DiskDirectory {
    return this.#pseudoLinks.open();
  }

  protected override makeDirectory(place: Place, { mode }: Entry): DiskDirectory {
    return this.#places.makeDirectory(place, mode);
  }

  protected override claimLink(place: Place): void {
    this.#hardlinks.claimAt(place);
  }

  protected override setAttributes(directory: DiskDirectory, entry: Entry): void {
    this.#places.establish(directory);
    this.#site.directories.describe(directory, entry);
  }
}
