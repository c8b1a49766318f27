import type { ByteString } from "../tar/byte-string.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import type { Directory } from "./directory.ts";
import { checkOwner } from "./entry-checks.ts";
import { Files } from "./files.ts";
import { Hardlinks } from "./hardlinks.ts";
import { hiddenName, meaningOf, pseudoLinkName, whiteoutPrefix } from "./name-meaning.ts";
import { checked } from "./paths.ts";
import type { Place } from "./place.ts";
import { Places } from "./places.ts";
import { PseudoLinks } from "./pseudo-links.ts";
import { refusal } from "./refusal.ts";
import type { Site } from "./site.ts";
import type { WhiteoutPolicy } from "./whiteout-policy.ts";

/** What becomes of the whiteouts of one layer. */
export type WhiteoutsOf = (site: Site, places: Places) => WhiteoutPolicy;

/** Applies the entries of one layer, in the order of the archive. */
export class LayerApplier {
  readonly #site: Site;
  readonly #layer: number;
  readonly #places: Places;
  readonly #files: Files;
  readonly #whiteouts: WhiteoutPolicy;
  readonly #pseudoLinks: PseudoLinks;
  readonly #hardlinks: Hardlinks;

  /** `layer` counts from the bottom, from 0. */
  constructor(site: Site, layer: number, whiteoutsOf: WhiteoutsOf) {
    const places = new Places(site, layer);
    const files = new Files(site, places);
    const pseudoLinks = new PseudoLinks(site);
    this.#site = site;
    this.#layer = layer;
    this.#places = places;
    this.#files = files;
    this.#whiteouts = whiteoutsOf(site, places);
    this.#pseudoLinks = pseudoLinks;
    this.#hardlinks = new Hardlinks({ site, places, files, pseudoLinks });
  }

  /** Applies an entry. `body` yields its data and then ends; whatever is left unread is of no use. */
  apply(entry: Entry, body: ByteSource): void {
    this.#site.entries.spend(1, entry.path);
    const place = this.#knownPlace(entry.path);
    if (place !== undefined) this.#create(place, entry, body);
    else this.#applyAnywhere(entry, body);
  }

  /** Does what had to wait for the end of the layer. */
  end(): void {
    this.#hardlinks.end();
    this.#pseudoLinks.end();
  }

  /** Most entries follow one in the same directory, and have a plain name. Anything else is for `#applyAnywhere`. */
  #knownPlace(path: ByteString): Place | undefined {
    const end = path.endsWith("/") ? path.length - 1 : path.length;
    const start = path.lastIndexOf("/", end - 1) + 1;
    const parent = this.#site.parents.get(path.slice(0, start) as ByteString);
    if (parent === undefined) return undefined;
    const name = path.slice(start, end) as ByteString;
    const isPlain = name !== "" && name !== "." && name !== ".." && !name.startsWith(whiteoutPrefix);
    return isPlain ? { parent, name: checked(name, path), path } : undefined;
  }

  #applyAnywhere(entry: Entry, body: ByteSource): void {
    const { findings, paths } = this.#site;
    const { path } = entry;
    if (path === "") return findings.repaired("EMPTY_NAME", "an entry without a name is left out", path);
    const names = paths.namesOf(path);
    const parents = names.slice(0, -1);
    const name = names.at(-1) ?? path;
    switch (meaningOf(names)) {
      case "root":
        return this.#applyRoot(entry);
      case "plain":
        return this.#createAt(parents, name, entry, body);
      case "whiteout":
        return this.#applyWhiteout(parents, name, entry);
      case "opaque":
        return this.#applyOpaque(parents, entry);
      case "reserved":
        return this.#leaveOut(names, entry, body);
    }
  }

  #applyRoot(entry: Entry): void {
    if (entry.type !== "directory") throw refusal(entry.path, `the root as a ${entry.type}`);
    this.#describe(this.#site.tree.root, entry);
  }

  /** A name that a layer uses for itself, where it marks nothing. AUFS's pseudo-links are kept for links to them. */
  #leaveOut(names: readonly ByteString[], entry: Entry, body: ByteSource): void {
    const { path, type } = entry;
    this.#site.findings.repaired("RESERVED_NAME", "a name that begins with .wh. is left out", path);
    this.#site.findings.skipped(path, "reserved-name", "names that begin with .wh. are the layer's own");
    const name = pseudoLinkName(names);
    if (name === undefined || type !== "file") return;
    this.#files.file({ parent: this.#pseudoLinks.open(), name, path }, entry, body);
  }

  #applyOpaque(parents: readonly ByteString[], entry: Entry): void {
    this.#judgeMarker(entry);
    const { directory } = this.#places.wayTo(parents, entry.path);
    this.#whiteouts.hideAllIn(directory, entry.path);
  }

  #applyWhiteout(parents: readonly ByteString[], marker: ByteString, entry: Entry): void {
    const { path } = entry;
    const name = hiddenName(marker);
    if (name === undefined) throw refusal(path, "a whiteout that names no file");
    this.#judgeMarker(entry);
    const parent = this.#site.tree.find(parents, path);
    if (parent === undefined) this.#whiteouts.noteNothing(path);
    else this.#whiteouts.hide({ parent, name, path });
  }

  #judgeMarker({ path, type, sizeBytes }: Entry): void {
    if (type === "file" && sizeBytes === 0) return;
    this.#site.findings.repaired(
      "UNUSUAL_WHITEOUT",
      "a whiteout counts by its name, although it is no empty file",
      path,
    );
  }

  #createAt(parents: readonly ByteString[], name: ByteString, entry: Entry, body: ByteSource): void {
    const { path, type } = entry;
    if (type === "other") return this.#leaveOutType(entry);
    const { directory: parent, links } = this.#places.wayTo(parents, path);
    const prefix = path.slice(0, path.lastIndexOf("/") + 1) as ByteString;
    // With `..` in it a path depends on more than its directories; without a name at its end it is another's prefix.
    if (path.endsWith(name) && !prefix.includes("..")) this.#site.parents.set(prefix, parent, links);
    this.#create({ parent, name, path }, entry, body);
  }

  #create(place: Place, entry: Entry, body: ByteSource): void {
    if (entry.type === "other") return this.#leaveOutType(entry);
    this.#hardlinks.supersede(place);
    switch (entry.type) {
      case "file":
        return this.#files.file(place, entry, body);
      case "directory":
        return this.#applyDirectory(place, entry);
      case "symlink":
        return this.#files.symlink(place, entry);
      case "hardlink":
        return this.#hardlinks.link(place, entry);
      case "fifo":
        return this.#files.fifo(place, entry);
      case "character-device":
      case "block-device":
        return this.#files.device(place, entry);
    }
  }

  #applyDirectory(place: Place, entry: Entry): void {
    const existing = this.#site.tree.directoryAt(place.parent, place.name) ?? this.#linkedDirectory(place);
    this.#describe(existing ?? this.#places.makeDirectory(place, entry.mode), entry);
  }

  /** The directory that a symlink at a place leads to, where such links are to be kept. */
  #linkedDirectory(place: Place): Directory | undefined {
    const { parent, name, path } = place;
    const { settings, tree } = this.#site;
    if (!settings.keepDirlinks) return undefined;
    const { directory } = tree.walk(parent, [name], path, () => undefined);
    // The link stands for this layer's directory now, so that no whiteout of the layer hides it.
    if (directory !== undefined) this.#hardlinks.claim(place);
    return directory;
  }

  #describe(directory: Directory, entry: Entry): void {
    const { directories, findings } = this.#site;
    checkOwner(entry);
    if (directory.describedIn === this.#layer) {
      findings.repaired("DUPLICATE_ENTRY", "the layer names it twice; the later entry wins", entry.path);
    }
    this.#places.establish(directory);
    directory.describedIn = this.#layer;
    directory.layer = this.#layer;
    directories.describe(directory, entry);
  }

  #leaveOutType({ path, typeFlag }: Entry): void {
    const { findings } = this.#site;
    const what = `entries of type ${JSON.stringify(typeFlag)} have no meaning in a layer`;
    findings.repaired("UNSUPPORTED_TYPE", what, path);
    findings.skipped(path, "unsupported-type", what);
  }
}
