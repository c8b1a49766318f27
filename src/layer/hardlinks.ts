import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import type { Entry } from "../tar/entry.ts";
import type { HardlinkBackEnd, LayerContext, LinkHeader } from "./back-end.ts";
import type { BackEndTypes, Directory, EntryDestination } from "./directory.ts";
import { quoted, refusal } from "./findings.ts";
import { walk } from "./walk.ts";
import { pseudoLinkName } from "./whiteouts.ts";

/** A name in a directory, whether anything stands there or not. */
interface Name<Types extends BackEndTypes> {
  readonly directory: Directory<Types>;
  readonly name: ByteString;
}

/** A link that is to be made, and nothing of its entry that is not needed for it: it may have to wait. */
interface Link<Types extends BackEndTypes> {
  readonly destination: EntryDestination<Types>;
  /** The names of the path that it leads to, between slashes: in one text they take the least. */
  readonly target: ByteString;
  readonly stated: LinkHeader;
  /** The directory that the link is to replace, if there is one. */
  readonly replaced: Directory<Types> | undefined;
}

/**
 * What a link that waits takes in memory besides its texts. Measured on Node 20 with 100,000 of them: 301 bytes; and at
 * the end of the layer half as much for knowing what it waits for.
 */
const waitingBytes = 480;

const whereDevicesAreLeftOut =
  "devices were left out: if that is one, --devices placeholder puts an empty file there; else the image is broken";

/**
 * The hard links of one layer, in the order of the archive: a link is what its target is at that moment. Only a link to
 * what is not there yet waits, for the end of its layer.
 */
export class Hardlinks<Types extends BackEndTypes> {
  readonly #context: LayerContext<Types>;
  readonly #layer: number;
  readonly #backEnd: HardlinkBackEnd<Types>;
  /** By the names that the links are to have. */
  readonly #waiting = new ByName<Types, Link<Types>>();
  #pseudoLinks: Directory<Types> | undefined;

  constructor(context: LayerContext<Types>, layer: number, backEnd: HardlinkBackEnd<Types>) {
    this.#context = context;
    this.#layer = layer;
    this.#backEnd = backEnd;
  }

  /**
   * Where to keep AUFS's pseudo-links while the layer is applied: hard links may lead to them, but they are no part of
   * the tree (rules W20, H13).
   */
  pseudoLinks(): Directory<Types> {
    this.#pseudoLinks ??= this.#backEnd.makePseudoLinks();
    return this.#pseudoLinks;
  }

  /** Makes what stands at a name, and is no directory, something that this layer brings: its own whiteouts spare it. */
  claim(destination: EntryDestination<Types>): void {
    const original = this.#backEnd.fileAt(destination.parent, destination.name, destination);
    if (original !== undefined) this.#backEnd.claim(destination, original);
  }

  /** Makes a link, or keeps it until its target is there. */
  link(destination: EntryDestination<Types>, entry: Entry): void {
    const targetNames = this.#context.paths.namesOf(entry.linkPath, entry.path);
    if (targetNames.length === 0) throw refusal(entry.path, "a hard link to the root");
    const { mode, uid, gid } = entry;
    const target = targetNames.join("/") as ByteString;
    const link = { destination, target, stated: { mode, uid, gid }, replaced: this.#directoryAt(destination) };
    if (this.#attempt(link) === undefined) return;
    destination.parent.neededIn = this.#layer;
    this.#context.memory.spend(bytesOf(link), "hard links that wait for their targets");
    this.#waiting.add(destination.parent, destination.name, link);
  }

  /** To be called when an entry is about to stand where a link may be waited for: the later entry wins. */
  supersede({ parent, name }: EntryDestination<Types>): void {
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
      const { parent, name } = link.destination;
      const missing = this.#attempt(link);
      if (missing !== undefined) {
        heldUp.add(missing.directory, missing.name, link);
        continue;
      }
      unsettled.delete(link);
      this.#forget(this.#waiting.take(parent, name));
      for (const next of heldUp.take(parent, name)) ready.push(next);
    }
    for (const { destination, target } of unsettled) {
      const hint = this.#context.findings.hasLeftOutDevices ? whereDevicesAreLeftOut : undefined;
      throw refusal(destination.path, `a hard link to ${quoted(target)}, which is not there`, hint);
    }
    if (this.#pseudoLinks !== undefined) this.#backEnd.removePseudoLinks(this.#pseudoLinks);
  }

  #forget(links: readonly Link<Types>[]): void {
    for (const link of links) this.#context.memory.release(bytesOf(link));
  }

  /** Whether, since the link began to wait, a directory came to stand in its destination, or its own directory went. */
  #isObsolete({ destination, replaced }: Link<Types>): boolean {
    if (destination.parent.isRemoved) return true;
    const directory = this.#directoryAt(destination);
    return directory !== undefined && directory !== replaced;
  }

  #directoryAt({ parent, name }: EntryDestination<Types>): Directory<Types> | undefined {
    return this.#context.tree.knownDirectoryAt(parent, name);
  }

  /** Makes a link, or gives the name that has to be there first. */
  #attempt(link: Link<Types>): Name<Types> | undefined {
    const { destination, stated } = link;
    const { target, missing } = this.#targetOf(link);
    if (target === undefined) return missing;
    const { directory, name } = target;
    if (this.#context.tree.directoryAt(directory, name) !== undefined) {
      throw refusal(destination.path, "a hard link to a directory");
    }
    const isSelf = directory === destination.parent && name === destination.name;
    if (this.#waiting.has(directory, name) && !isSelf) return target;
    const file = this.#backEnd.fileAt(directory, name, destination);
    if (file === undefined) return target;
    if (this.#isObsolete(link)) return undefined;
    this.#compare(stated, file, destination.path);
    if (isSelf) this.#backEnd.claim(destination, file);
    else this.#backEnd.link(destination, file);
    return undefined;
  }

  /** Follows the target's parents; its last name is itself the target, even where it is a symlink. */
  #targetOf({ destination, target }: Link<Types>): {
    readonly target?: Name<Types>;
    readonly missing?: Name<Types>;
  } {
    const targetNames = target.split("/") as ByteString[];
    const { tree } = this.#context;
    const name = targetNames.at(-1) ?? byteStringOf("");
    const pseudoLinks = this.#pseudoLinks;
    if (pseudoLinks !== undefined && pseudoLinkName(targetNames) !== undefined) {
      return { target: { directory: pseudoLinks, name } };
    }
    let missing = { directory: tree.root, name };
    const { directory } = walk(tree, tree.root, targetNames.slice(0, -1), destination.path, (parent, missingName) => {
      missing = { directory: parent, name: missingName };
      return undefined;
    });
    return directory === undefined ? { missing } : { target: { directory, name } };
  }

  /** What a link's own header says of the file means nothing (rule H7), but may mean that something else was meant. */
  #compare(stated: LinkHeader, original: Types["original"], path: ByteString): void {
    if (this.#backEnd.isAsStated(original, stated)) return;
    const message = "the link's own mode and owner are ignored: its target has others";
    this.#context.findings.noted("LINK_ATTRIBUTES", message, path);
  }
}

function bytesOf<Types extends BackEndTypes>({ destination, target }: Link<Types>): number {
  return waitingBytes + destination.path.length + target.length;
}

/** Things that belong to a name in a directory, whether anything stands there or not. */
class ByName<Types extends BackEndTypes, Thing> {
  readonly #things = new Map<Directory<Types>, Map<ByteString, Thing[]>>();

  get isEmpty(): boolean {
    return this.#things.size === 0;
  }

  has(directory: Directory<Types>, name: ByteString): boolean {
    return this.#things.get(directory)?.has(name) === true;
  }

  add(directory: Directory<Types>, name: ByteString, thing: Thing): void {
    const names = this.#things.get(directory) ?? new Map<ByteString, Thing[]>();
    this.#things.set(directory, names);
    const things = names.get(name);
    if (things === undefined) names.set(name, [thing]);
    else things.push(thing);
  }

  /** Takes away what belongs to a name, and gives it. */
  take(directory: Directory<Types>, name: ByteString): readonly Thing[] {
    const names = this.#things.get(directory);
    const things = names?.get(name) ?? [];
    names?.delete(name);
    if (names?.size === 0) this.#things.delete(directory);
    return things;
  }

  *all(): Iterable<Thing> {
    for (const names of this.#things.values()) for (const things of names.values()) yield* things;
  }
}
