import type { ByteString } from "../tar/byte-string.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import type { LayerContext } from "./context.ts";
import type { BackEndTypes, Directory } from "./directory.ts";
import { checkOwner } from "./entry-checks.ts";
import type { Hardlinks } from "./hardlinks.ts";
import { hiddenName, meaningOf, pseudoLinkName } from "./name-meaning.ts";
import type { Place } from "./place.ts";
import { refusal } from "./refusal.ts";
import { find, walk } from "./walk.ts";
import { type WhiteoutBackEnd, Whiteouts } from "./whiteouts.ts";

/** Makes what entries describe, except directories and hard links. */
export interface FileMaker<Types extends BackEndTypes> {
  file(place: Place<Types>, entry: Entry, body: ByteSource): void;
  symlink(place: Place<Types>, entry: Entry): void;
  fifo(place: Place<Types>, entry: Entry): void;
  device(place: Place<Types>, entry: Entry): void;
}

/** Who does what for one layer. */
export interface LayerParts<Types extends BackEndTypes> {
  readonly files: FileMaker<Types>;
  readonly hardlinks: Hardlinks<Types, unknown>;
  readonly whiteouts: WhiteoutBackEnd<Types>;
}

/**
 * What the entries of one layer mean, in the order of the archive (image-spec, layer.md), for whatever a layer is applied
 * to: a disk, or a tree in memory.
 */
export abstract class LayerEntries<Types extends BackEndTypes> {
  readonly #context: LayerContext<Types>;
  readonly #layer: number;
  readonly #parts: LayerParts<Types>;
  readonly #whiteouts: Whiteouts<Types>;

  /** `layer` counts from the bottom, from 0. */
  constructor(context: LayerContext<Types>, layer: number, parts: LayerParts<Types>) {
    this.#context = context;
    this.#layer = layer;
    this.#parts = parts;
    this.#whiteouts = new Whiteouts(context, layer, parts.whiteouts);
  }

  /** The directory that names lead to. What is missing on the way is made, also at the end of a symlink or where a file is. */
  protected abstract wayTo(names: readonly ByteString[], path: ByteString): Directory<Types>;
  /** Where an entry that has a plain name is to stand. */
  protected abstract placeFor(parents: readonly ByteString[], name: ByteString, path: ByteString): Place<Types>;
  /** The directory to keep AUFS's pseudo-links in, for hard links to them. */
  protected abstract pseudoLinks(): Directory<Types>;
  /** Makes a directory, in the stead of whatever is there. */
  protected abstract makeDirectory(place: Place<Types>, entry: Entry): Directory<Types>;
  /** Makes the symlink at a place something that this layer brings: its own whiteouts spare it. */
  protected abstract claimLink(place: Place<Types>): void;
  /** Replaces all attributes of a directory by those of an entry. */
  protected abstract setAttributes(directory: Directory<Types>, entry: Entry): void;

  /** The same as `placeFor` where that is known without taking the path apart. */
  protected knownPlace(_path: ByteString): Place<Types> | undefined {
    return undefined;
  }

  /** Applies an entry. `body` yields its data and then ends; whatever is left unread is of no use. */
  apply(entry: Entry, body: ByteSource): void {
    this.#context.entries.spend(1, entry.path);
    this.#context.tree.followed.allowEntry();
    const place = this.knownPlace(entry.path);
    if (place !== undefined) this.#create(place, entry, body);
    else this.#applyAnywhere(entry, body);
  }

  /** Does what had to wait for the end of the layer. */
  end(): void {
    this.#parts.hardlinks.end();
  }

  #applyAnywhere(entry: Entry, body: ByteSource): void {
    const { findings, paths } = this.#context;
    const { path } = entry;
    if (path === "") return findings.repaired("EMPTY_NAME", "an entry without a name is left out", path);
    const names = paths.namesOf(path);
    const parents = names.slice(0, -1);
    const name = names.at(-1) ?? path;
    switch (meaningOf(names)) {
      case "root":
        return this.#applyRoot(entry);
      case "plain":
        return this.#applyPlain(parents, name, entry, body);
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
    this.#describe(this.#context.tree.root, entry);
  }

  /** A name that a layer uses for itself, where it marks nothing. AUFS's pseudo-links are kept for links to them. */
  #leaveOut(names: readonly ByteString[], entry: Entry, body: ByteSource): void {
    const { findings } = this.#context;
    const { path, type } = entry;
    findings.repaired("RESERVED_NAME", "a name that begins with .wh. is left out", path);
    findings.skipped(path, "reserved-name", "names that begin with .wh. are the layer's own");
    const name = pseudoLinkName(names);
    if (name === undefined || type !== "file") return;
    this.#parts.files.file({ parent: this.pseudoLinks(), name, path }, entry, body);
  }

  #applyOpaque(parents: readonly ByteString[], entry: Entry): void {
    this.#judgeMarker(entry);
    this.#whiteouts.hideAllIn(this.wayTo(parents, entry.path), entry.path);
  }

  #applyWhiteout(parents: readonly ByteString[], marker: ByteString, entry: Entry): void {
    const { path } = entry;
    const name = hiddenName(marker);
    if (name === undefined) throw refusal(path, "a whiteout that names no file");
    this.#judgeMarker(entry);
    const parent = find(this.#context.tree, parents, path);
    if (parent === undefined) this.#whiteouts.noteNothing(path);
    else this.#whiteouts.hide({ parent, name, path });
  }

  #judgeMarker({ path, type, sizeBytes }: Entry): void {
    if (type === "file" && sizeBytes === 0) return;
    const message = "a whiteout counts by its name, although it is no empty file";
    this.#context.findings.repaired("UNUSUAL_WHITEOUT", message, path);
  }

  #applyPlain(parents: readonly ByteString[], name: ByteString, entry: Entry, body: ByteSource): void {
    if (entry.type === "other") this.#leaveOutType(entry);
    else this.#create(this.placeFor(parents, name, entry.path), entry, body);
  }

  #create(place: Place<Types>, entry: Entry, body: ByteSource): void {
    if (entry.type === "other") return this.#leaveOutType(entry);
    const { files, hardlinks } = this.#parts;
    hardlinks.supersede(place);
    switch (entry.type) {
      case "file":
        return files.file(place, entry, body);
      case "directory":
        return this.#applyDirectory(place, entry);
      case "symlink":
        return files.symlink(place, entry);
      case "hardlink":
        return hardlinks.link(place, entry);
      case "fifo":
        return files.fifo(place, entry);
      case "character-device":
      case "block-device":
        return files.device(place, entry);
    }
  }

  #applyDirectory(place: Place<Types>, entry: Entry): void {
    const existing = this.#context.tree.knownDirectoryAt(place.parent, place.name) ?? this.#linkedDirectory(place);
    this.#describe(existing ?? this.makeDirectory(place, entry), entry);
  }

  /** The directory that a symlink at a place leads to, where such links are to be kept. */
  #linkedDirectory(place: Place<Types>): Directory<Types> | undefined {
    const { settings, tree } = this.#context;
    if (!settings.keepDirlinks) return undefined;
    const { directory } = walk(tree, place.parent, [place.name], place.path, () => undefined);
    // The link stands for this layer's directory now, so that no whiteout of the layer hides it.
    if (directory !== undefined) this.claimLink(place);
    return directory;
  }

  #describe(directory: Directory<Types>, entry: Entry): void {
    checkOwner(entry);
    if (directory.describedIn === this.#layer) {
      const message = "the layer names it twice; the later entry wins";
      this.#context.findings.repaired("DUPLICATE_ENTRY", message, entry.path);
    }
    directory.describedIn = this.#layer;
    directory.layer = this.#layer;
    this.setAttributes(directory, entry);
  }

  #leaveOutType({ path, typeFlag }: Entry): void {
    const { findings } = this.#context;
    const what = `entries of type ${JSON.stringify(typeFlag)} have no meaning in a layer`;
    findings.repaired("UNSUPPORTED_TYPE", what, path);
    findings.skipped(path, "unsupported-type", what);
  }
}
