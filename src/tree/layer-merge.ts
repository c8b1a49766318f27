import { Buffer } from "node:buffer";
import { checkOwner } from "../rootfs/entry-checks.ts";
import { hiddenName, meaningOf, pseudoLinkDirectory, pseudoLinkName } from "../rootfs/name-meaning.ts";
import { refusal } from "../rootfs/refusal.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import { Directory } from "./directory.ts";
import { Files, type Store } from "./files.ts";
import { Hardlinks } from "./hardlinks.ts";
import type { Merging } from "./merging.ts";
import { type Place, Places } from "./places.ts";
import { find, walk } from "./walk.ts";
import { Whiteouts } from "./whiteouts.ts";

/** What an entry takes besides its texts, and a segment of a sparse file. */
const entryBytes = 256;
const segmentBytes = 64;

/** Merges the entries of one layer into a tree, in the order of the archive. */
export class LayerMerge {
  readonly #merging: Merging;
  readonly #layer: number;
  readonly #places: Places;
  readonly #files: Files;
  readonly #whiteouts: Whiteouts;
  readonly #hardlinks: Hardlinks;
  readonly #pseudoLinks: Directory;

  /** `layer` counts from the bottom, from 0. */
  constructor(merging: Merging, layer: number, store: Store) {
    const places = new Places(merging, layer);
    this.#merging = merging;
    this.#layer = layer;
    this.#places = places;
    this.#files = new Files(merging, places, store);
    this.#whiteouts = new Whiteouts(merging, layer);
    this.#pseudoLinks = new Directory({ parent: merging.root, name: pseudoLinkDirectory }, layer, merging.implied);
    this.#hardlinks = new Hardlinks(merging, places, this.#pseudoLinks);
  }

  /** Merges an entry. `body` yields its data and then ends. */
  apply(entry: Entry, body: ByteSource): void {
    const { entries, findings, memory, paths } = this.#merging;
    const { path } = entry;
    entries.spend(1, path);
    memory.spend(weightOf(entry), path);
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

  /** Does what had to wait for the end of the layer. */
  end(): void {
    this.#hardlinks.end();
  }

  #applyRoot(entry: Entry): void {
    if (entry.type !== "directory") throw refusal(entry.path, `the root as a ${entry.type}`);
    this.#describe(this.#merging.root, entry);
  }

  /** A name that a layer uses for itself, where it marks nothing. AUFS's pseudo-links are kept for links to them. */
  #leaveOut(names: readonly ByteString[], entry: Entry, body: ByteSource): void {
    const { findings } = this.#merging;
    const { path, type } = entry;
    findings.repaired("RESERVED_NAME", "a name that begins with .wh. is left out", path);
    findings.skipped(path, "reserved-name", "names that begin with .wh. are the layer's own");
    const name = pseudoLinkName(names);
    if (name !== undefined && type === "file") this.#files.file({ parent: this.#pseudoLinks, name, path }, entry, body);
  }

  #applyOpaque(parents: readonly ByteString[], entry: Entry): void {
    this.#judgeMarker(entry);
    this.#whiteouts.hideAllIn(this.#places.wayTo(parents, entry.path));
  }

  #applyWhiteout(parents: readonly ByteString[], marker: ByteString, entry: Entry): void {
    const { path } = entry;
    const name = hiddenName(marker);
    if (name === undefined) throw refusal(path, "a whiteout that names no file");
    this.#judgeMarker(entry);
    const parent = find(this.#merging.root, parents, path);
    if (parent === undefined) this.#whiteouts.noteNothing(path);
    else this.#whiteouts.hide({ parent, name, path });
  }

  #judgeMarker({ path, type, sizeBytes }: Entry): void {
    if (type === "file" && sizeBytes === 0) return;
    const message = "a whiteout counts by its name, although it is no empty file";
    this.#merging.findings.repaired("UNUSUAL_WHITEOUT", message, path);
  }

  #createAt(parents: readonly ByteString[], name: ByteString, entry: Entry, body: ByteSource): void {
    const { path, type } = entry;
    if (type === "other") return this.#leaveOutType(entry);
    const place = { parent: this.#places.wayTo(parents, path), name: ownCopy(name), path };
    this.#hardlinks.supersede(place);
    switch (type) {
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
        return this.#files.device(type, place, entry, body);
    }
  }

  #applyDirectory(place: Place, entry: Entry): void {
    const child = place.parent.knownChild(place.name);
    const existing = child instanceof Directory ? child : this.#linkedDirectory(place);
    this.#describe(existing ?? this.#places.makeDirectory(place), entry);
  }

  /** The directory that a symlink at a place leads to, where such links are to be kept. */
  #linkedDirectory({ parent, name, path }: Place): Directory | undefined {
    const { settings, root } = this.#merging;
    if (!settings.keepDirlinks) return undefined;
    const directory = walk(root, parent, [name], path, () => undefined);
    const link = parent.knownChild(name);
    // The link stands for this layer's directory now, so that no whiteout of the layer hides it.
    if (directory !== undefined && link !== undefined) link.layer = this.#layer;
    return directory;
  }

  #describe(directory: Directory, entry: Entry): void {
    const { findings, xattrs } = this.#merging;
    const { path, mode, uid, gid, mtime, atime } = entry;
    checkOwner(entry);
    if (directory.describedIn === this.#layer) {
      findings.repaired("DUPLICATE_ENTRY", "the layer names it twice; the later entry wins", path);
    }
    directory.describedIn = this.#layer;
    directory.layer = this.#layer;
    directory.origin = this.#layer;
    directory.attributes = { mode: mode & 0o7777, uid, gid, mtime, atime, xattrs: xattrs.kept(entry) };
  }

  #leaveOutType({ path, typeFlag }: Entry): void {
    const { findings } = this.#merging;
    const what = `entries of type ${JSON.stringify(typeFlag)} have no meaning in a layer`;
    findings.repaired("UNSUPPORTED_TYPE", what, path);
    findings.skipped(path, "unsupported-type", what);
  }
}

/** Roughly what an entry takes in memory. */
export function weightOf({ path, linkPath, segments, xattrs }: Entry): number {
  let bytes = entryBytes + path.length + linkPath.length + segmentBytes * (segments?.length ?? 0);
  for (const [name, value] of xattrs ?? []) bytes += entryBytes + name.length + value.length;
  return bytes;
}

/** A name that does not keep in memory the path that it is a part of: V8 shares the text of longer parts. */
function ownCopy(name: ByteString): ByteString {
  return name.length < 13 ? name : (Buffer.from(name, "latin1").toString("latin1") as ByteString);
}
