import { type Memory, MemoryBudget, MemoryShare } from "../base/memory-budget.ts";
import { CountedLimit } from "../layer/counted-limits.ts";
import { Undetermined } from "../layer/directory.ts";
import { nobody } from "../layer/findings.ts";
import { hiddenName, meaningOf } from "../layer/whiteouts.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { Entry } from "../tar/entry.ts";
import { MergedTree, type TreeBasis } from "../tree/merged-tree.ts";
import { bytesOfEntry, type TreeDirectory } from "../tree/tree-file.ts";
import type { TreeSettings } from "../tree/tree-nodes.ts";

interface KnownLayer {
  readonly number: number;
  readonly entries: readonly Entry[];
}

/**
 * How much attempts to answer may cost, counted in bytes of merged entries: `freeAttemptBytes`, and `attemptShare`
 * times what has been read. Within that no layer is read without need; beyond it at most a quarter more than necessary
 * is read.
 */
const freeAttemptBytes = 128 * 1024 * 1024;
const attemptShare = 4;

const noBody = { read: () => undefined };

/**
 * The layers of an image that have been read so far, from the newest down. It answers questions about the image if the
 * layers below cannot change the answer.
 *
 * To answer, it merges the known layers in a mode in which nothing is known of the layers below. If the answer depends
 * on those, the question waits for more layers. It is asked again when a layer has come that may have what was missing;
 * otherwise a thousand layers would cause a thousand merges. An image whose layers always may have it, and never do, is
 * merged only as often as costs a few times what reading its layers costs.
 */
export class LayersSoFar {
  readonly #settings: TreeSettings;
  readonly #entries: CountedLimit;
  readonly #memory: Memory;
  /** Bottom first. */
  readonly #layers: KnownLayer[] = [];
  /** All layers merged, when the lowest one has come. */
  #whole: MergedTree | undefined;
  /** What the last attempt did not find. */
  #missing: Undetermined | undefined;
  /** Whether a layer has come since then that may have what was missing. */
  #isRetryUseful = true;
  #readBytes = 0;
  #attemptBytes = 0;

  /** `memory` counts all that is held: entries that wait to be merged, and the tree. */
  constructor(settings: TreeSettings, memory: Memory = new MemoryBudget(settings.limits)) {
    this.#settings = settings;
    this.#entries = new CountedLimit(settings.limits, "entries", "entries");
    this.#memory = memory;
  }

  /** Adds the next lower layer. The one with number 0 is the last. */
  add(number: number, entries: Iterable<Entry>): void {
    if (number === 0) this.#whole = this.#merged({ base: "nothing", memory: this.#memory }, { number, entries });
    else this.#layers.unshift({ number, entries: [...this.#counted(entries)] });
  }

  /**
   * Asks a question about the merged tree. Returns `undefined` if the answer depends on lower layers. In that tree, the
   * `content` of a file is the index of its entry in its layer.
   */
  answer<Answer>(question: (root: TreeDirectory) => Answer): Answer | undefined {
    if (this.#whole !== undefined) return question(this.#whole.root);
    if (!this.#isWorthwhile()) return undefined;
    this.#isRetryUseful = false;
    const memory = new MemoryShare(this.#memory);
    try {
      return question(this.#merged({ base: "unknown", memory }).root);
    } catch (error) {
      if (!(error instanceof Undetermined)) throw error;
      this.#missing = error;
      memory.releaseAll();
      return undefined;
    }
  }

  #isWorthwhile(): boolean {
    const [newest] = this.#layers;
    if (this.#missing !== undefined && newest !== undefined) {
      this.#isRetryUseful ||= newest.entries.some(relevantTo(this.#missing));
    }
    return this.#isRetryUseful && this.#attemptBytes <= freeAttemptBytes + attemptShare * this.#readBytes;
  }

  /** Merges the layers. The entries of the lowest layer, usually the largest, are not held but merged as they come. */
  #merged(basis: TreeBasis, lowest?: { readonly number: number; readonly entries: Iterable<Entry> }): MergedTree {
    const tree = new MergedTree(this.#settings, nobody, basis);
    for (const { number, entries } of lowest === undefined ? this.#layers : this.#emptied(lowest)) {
      mergeLayer(tree, number, basis.base === "unknown" ? this.#attempted(entries) : entries);
    }
    return tree;
  }

  /** Counts what an attempt costs. */
  *#attempted(entries: Iterable<Entry>): Iterable<Entry> {
    for (const entry of entries) {
      this.#attemptBytes += bytesOfEntry(entry);
      yield entry;
    }
  }

  /** All layers, bottom first. Each is released when the tree has its entries. */
  *#emptied<Layer>(lowest: Layer): Iterable<Layer | KnownLayer> {
    yield lowest;
    for (let next = this.#layers.shift(); next !== undefined; next = this.#layers.shift()) {
      yield next;
      for (const entry of next.entries) this.#memory.release(bytesOfEntry(entry));
    }
  }

  *#counted(entries: Iterable<Entry>): Iterable<Entry> {
    for (const entry of entries) {
      this.#entries.spend(1, entry.path);
      const bytes = bytesOfEntry(entry);
      this.#memory.spend(bytes, "files");
      this.#readBytes += bytes;
      yield entry;
    }
  }
}

/** Merges a layer into a tree, in which the `content` of its files is the index of their entry. */
export function mergeLayer(tree: MergedTree, number: number, entries: Iterable<Entry>): void {
  let entryIndex = 0;
  const merge = tree.beginLayer(number, () => entryIndex);
  for (const entry of entries) {
    merge.apply(entry, noBody);
    entryIndex += 1;
  }
  merge.end();
}

/**
 * What could not be answered without lower layers: what a name in a directory is or, without a name, all that is in it.
 */
interface Missing {
  readonly directoryPath: ByteString;
  readonly childName: ByteString | undefined;
}

/**
 * Returns a function that says whether an entry of a lower layer may have what was missing. It compares paths as they
 * are written. If symlinks make that wrong, one more layer is read than necessary, which does no harm.
 */
function relevantTo({ directoryPath, childName }: Missing): (entry: Entry) => boolean {
  const child = joined([directoryPath, childName]);
  const wanted = childName === undefined ? directoryPath : child;
  return ({ path, type }) => {
    const names = path.split("/").filter((name) => name !== "" && name !== ".") as ByteString[];
    if (names.includes(".." as ByteString)) return true;
    const name = names.at(-1);
    const parents = names.slice(0, -1);
    switch (meaningOf(names)) {
      case "opaque":
        return isAtOrBelow(directoryPath, joined(parents));
      case "whiteout":
        return isAtOrBelow(wanted, joined([...parents, (name && hiddenName(name)) ?? ("" as ByteString)]));
      case "plain":
        // The entry of a directory says nothing about what is in it.
        return isAtOrBelow(wanted, joined(names)) && (type !== "directory" || joined(names) === child);
      case "root":
      case "reserved":
        return false;
    }
  };
}

function isAtOrBelow(path: string, ancestor: string): boolean {
  return ancestor === "" || path === ancestor || (path.startsWith(ancestor) && path.charAt(ancestor.length) === "/");
}

function joined(names: readonly (string | undefined)[]): string {
  return names.filter((name) => name !== undefined && name !== "").join("/");
}
