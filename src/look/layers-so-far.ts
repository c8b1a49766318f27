import { type Memory, MemoryBudget, MemoryShare } from "../base/memory-budget.ts";
import { CountedLimit } from "../layer/counted-limit.ts";
import { nobody } from "../layer/findings.ts";
import { Undetermined } from "../layer/undetermined.ts";
import type { Entry } from "../tar/entry.ts";
import type { TreeSettings } from "../tree/context.ts";
import { bytesOfEntry } from "../tree/memory-sizes.ts";
import { MergedTree, type TreeBasis } from "../tree/merged-tree.ts";
import type { TreeDirectory } from "../tree/tree-file.ts";
import { relevantTo } from "./relevance.ts";

interface KnownLayer {
  readonly number: number;
  readonly entries: readonly Entry[];
}

/**
 * What attempts may cost before they have to wait for more layers, in bytes of entries merged: so much at any rate, and
 * so many times what has been read. Below it no layer is read that need not be; above it at most a quarter more than that.
 */
const freeAttemptBytes = 128 * 1024 * 1024;
const attemptShare = 4;

const noBody = { read: () => undefined };

/**
 * The layers of an image from the newest down, as far as they have been read, and what can be said of the image
 * already: whatever is the same for every image that ends in these layers.
 *
 * To say it, they are merged on an unknown base. A question that depends on the base waits for more layers, and is not
 * asked again before one came that may have what was missing: otherwise a thousand layers would make a thousand merges.
 * Layers that always may and never do are merged again as often as costs no more than a few times the reading.
 */
export class LayersSoFar {
  readonly #settings: TreeSettings;
  readonly #entries: CountedLimit;
  readonly #memory: Memory;
  /** Bottom first. */
  readonly #layers: KnownLayer[] = [];
  /** All of them merged, once the lowest one has come. */
  #whole: MergedTree | undefined;
  /** What the last attempt asked for in vain. */
  #missing: Undetermined | undefined;
  /** Whether a layer has come since then that may have it. */
  #isSettled = true;
  #readBytes = 0;
  #attemptBytes = 0;

  /** All that is remembered is counted in `memory`: entries that wait, and the tree that they become. */
  constructor(settings: TreeSettings, memory: Memory = new MemoryBudget(settings.limits)) {
    this.#settings = settings;
    this.#entries = new CountedLimit(settings.limits, "entries", "entries");
    this.#memory = memory;
  }

  /** Adds the next lower layer: the one with number 0 is the last. */
  add(number: number, entries: Iterable<Entry>): void {
    if (number === 0) this.#whole = this.#merged({ base: "nothing", memory: this.#memory }, { number, entries });
    else this.#layers.unshift({ number, entries: [...this.#counted(entries)] });
  }

  /**
   * Asks a question of the merged tree; `undefined` where the answer depends on lower layers. The `content` of a file in
   * that tree is the index of its entry among those of its layer.
   */
  answer<Answer>(question: (root: TreeDirectory) => Answer): Answer | undefined {
    if (this.#whole !== undefined) return question(this.#whole.root);
    if (!this.#isWorthwhile()) return undefined;
    this.#isSettled = false;
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
      this.#isSettled ||= newest.entries.some(relevantTo(this.#missing));
    }
    return this.#isSettled && this.#attemptBytes <= freeAttemptBytes + attemptShare * this.#readBytes;
  }

  /** The lowest layer, which is mostly the largest, is never held. */
  #merged(basis: TreeBasis, lowest?: { readonly number: number; readonly entries: Iterable<Entry> }): MergedTree {
    const tree = new MergedTree(this.#settings, nobody, basis);
    for (const { number, entries } of lowest === undefined ? this.#layers : this.#emptied(lowest)) {
      let entryIndex = 0;
      const merge = tree.beginLayer(number, () => entryIndex);
      for (const entry of entries) {
        if (basis.base === "unknown") this.#attemptBytes += bytesOfEntry(entry);
        merge.apply(entry, noBody);
        entryIndex += 1;
      }
      merge.end();
    }
    return tree;
  }

  /** All layers for the last time: each is let go when the tree has it. */
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
