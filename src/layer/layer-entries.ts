import type { ByteString } from "../tar/byte-string.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import type { BackEnd, LayerContext } from "./back-end.ts";
import { Destinations } from "./destinations.ts";
import type { BackEndTypes, Directory, EntryDestination } from "./directory.ts";
import { checkOwner } from "./entry-checks.ts";
import { EntryFiles } from "./entry-files.ts";
import { refusal } from "./findings.ts";
import { Hardlinks } from "./hardlinks.ts";
import { find, walk } from "./walk.ts";
import { hiddenName, meaningOf, plainMeaningOf, pseudoLinkName, Whiteouts } from "./whiteouts.ts";

/**
 * What the entries of one layer mean, in the order of the archive (image-spec, layer.md), for whatever a layer is
 * applied to: a disk, memory, or a layer of an overlay.
 */
export class LayerEntries<Types extends BackEndTypes> {
  readonly #context: LayerContext<Types>;
  readonly #layer: number;
  readonly #backEnd: BackEnd<Types>;
  readonly #destinations: Destinations<Types>;
  readonly #files: EntryFiles<Types>;
  readonly #hardlinks: Hardlinks<Types>;
  readonly #whiteouts: Whiteouts<Types>;

  /** `layer` counts from the bottom, from 0. */
  constructor(context: LayerContext<Types>, layer: number, backEnd: BackEnd<Types>) {
    this.#context = context;
    this.#layer = layer;
    this.#backEnd = backEnd;
    this.#destinations = new Destinations(context, backEnd.directories);
    this.#files = new EntryFiles(context, layer, backEnd);
    this.#hardlinks = new Hardlinks(context, layer, backEnd.hardlinks);
    this.#whiteouts = new Whiteouts(context, layer, backEnd);
  }

  /** Applies an entry. `body` yields its data and then ends; whatever is left unread is of no use. */
  apply(entry: Entry, body: ByteSource): void {
    this.#context.entries.spend(1, entry.path);
    this.#context.tree.followed.allowEntry();
    const destination = this.#destinations.known(entry.path);
    if (destination !== undefined) this.#create(destination, entry, body);
    else this.#applyAnywhere(entry, body);
  }

  /** Does what had to wait for the end of the layer. */
  end(): void {
    this.#hardlinks.end();
    this.#backEnd.end();
  }

  #applyAnywhere(entry: Entry, body: ByteSource): void {
    const { findings, paths, settings } = this.#context;
    const { path } = entry;
    if (path === "") return findings.repaired("EMPTY_NAME", "an entry without a name is left out", path);
    const names = paths.namesOf(path);
    const parents = names.slice(0, -1);
    const name = names.at(-1) ?? path;
    switch (settings.hasWhiteouts ? meaningOf(names) : plainMeaningOf(names)) {
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
    this.#files.file({ parent: this.#hardlinks.pseudoLinks(), name, path }, entry, body);
  }

  #applyOpaque(parents: readonly ByteString[], entry: Entry): void {
    this.#judgeMarker(entry);
    this.#whiteouts.hideAllIn(this.#destinations.directory(parents, entry.path), entry.path);
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
    else this.#create(this.#destinations.of(parents, name, entry.path), entry, body);
  }

  #create(destination: EntryDestination<Types>, entry: Entry, body: ByteSource): void {
    if (entry.type === "other") return this.#leaveOutType(entry);
    this.#hardlinks.supersede(destination);
    switch (entry.type) {
      case "file":
        return this.#files.file(destination, entry, body);
      case "directory":
        return this.#applyDirectory(destination, entry);
      case "symlink":
        return this.#files.symlink(destination, entry);
      case "hardlink":
        return this.#hardlinks.link(destination, entry);
      case "fifo":
        return this.#files.fifo(destination, entry);
      case "character-device":
      case "block-device":
        return this.#files.device(destination, entry);
    }
  }

  #applyDirectory(destination: EntryDestination<Types>, entry: Entry): void {
    const existing =
      this.#context.tree.knownDirectoryAt(destination.parent, destination.name) ?? this.#linkedDirectory(destination);
    this.#describe(existing ?? this.#destinations.makeDirectory(destination, entry.mode), entry);
  }

  /** The directory that a symlink there leads to, where such links are to be kept. */
  #linkedDirectory(destination: EntryDestination<Types>): Directory<Types> | undefined {
    const { settings, tree } = this.#context;
    if (!settings.keepDirlinks) return undefined;
    const { directory } = walk(tree, destination.parent, [destination.name], destination.path, () => undefined);
    // The link stands for this layer's directory now, so that no whiteout of the layer hides it.
    if (directory !== undefined) this.#hardlinks.claim(destination);
    return directory;
  }

  #describe(directory: Directory<Types>, entry: Entry): void {
    checkOwner(entry);
    if (directory.describedIn === this.#layer) this.#context.findings.namedTwice(entry.path);
    directory.describedIn = this.#layer;
    directory.layer = this.#layer;
    directory.origin = this.#layer;
    this.#backEnd.directories.describe(directory, entry);
  }

  #leaveOutType({ path, typeFlag }: Entry): void {
    const { findings } = this.#context;
    const what = `entries of type ${JSON.stringify(typeFlag)} have no meaning in a layer`;
    findings.repaired("UNSUPPORTED_TYPE", what, path);
    findings.skipped(path, "unsupported-type", what);
  }
}
