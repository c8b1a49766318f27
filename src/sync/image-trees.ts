import { MemoryBudget } from "../base/memory-budget.ts";
import { ComparedData } from "../diff/compared-data.ts";
import { type FindingsReporter, nobody } from "../layer/findings.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import { DigestibleHoles } from "../toc/digested-body.ts";
import { copiedTree } from "../tree/copied-tree.ts";
import { MergedTree } from "../tree/merged-tree.ts";
import { keepWanted, type SelectionPatterns, selection } from "../tree/selection.ts";
import type { TreeDirectory } from "../tree/tree-file.ts";
import type { TreeSettings } from "../tree/tree-nodes.ts";
import type { EntrySink } from "../worker/apply-entries.ts";
import { DataOffsets } from "./data-offsets.ts";

/** The tree that a directory is to have, or the one that it is said to have. */
export type WhichTree = "wanted" | "said";

/** What is believed of a directory: that it was made of a tree, or of the lowest layers of it. */
export interface Belief {
  readonly tree: WhichTree;
  /** How many of its layers, from the bottom up. Default: all. */
  readonly layers?: number;
}

/** The tree that a directory is to have and, where that is believed, the one that it is said to have. */
export class ImageTrees {
  readonly memory: MemoryBudget;
  readonly data: ComparedData;
  /** Where the data of the files are in the archives of their layers. */
  readonly offsets: DataOffsets;
  readonly #settings: TreeSettings;
  readonly #wanted: MergedTree;
  /** Nothing while it is the same as the other one. */
  #said: MergedTree | undefined;
  /** Whether all layers so far are in both trees. */
  #areSame = false;
  readonly #holes: DigestibleHoles;

  constructor(settings: RootfsSettings, reporter: FindingsReporter) {
    const memory = new MemoryBudget(settings.limits);
    // An empty file in place of a device may have the device recorded on it, so the trees have to have devices.
    const devices = settings.devices === "placeholder" ? "create" : settings.devices;
    this.memory = memory;
    this.data = new ComparedData(memory);
    this.offsets = new DataOffsets(memory);
    this.#holes = new DigestibleHoles(settings.limits);
    this.#settings = { ...settings, devices };
    this.#wanted = new MergedTree(this.#settings, reporter, { memory });
  }

  get wanted(): TreeDirectory {
    return this.#wanted.root;
  }

  get said(): TreeDirectory {
    if (this.#said === undefined && this.#areSame) return this.wanted;
    this.#said ??= this.#parted();
    return this.#said.root;
  }

  /** Begins a layer of one of the trees, or of both. Layers of both come first, and then those of the wanted one. */
  beginLayer(layer: number, trees: readonly WhichTree[]): EntrySink {
    const keep = (entry: Entry, body: ByteSource) => {
      const offset = this.offsets.of(body);
      const number = this.data.keep(entry, body, this.#holes);
      this.offsets.set(number, offset);
      return number;
    };
    if (trees.length > 1) this.#areSame = true;
    else if (this.#areSame || trees.includes("said")) this.#said ??= this.#parted();
    const tree = trees.includes("wanted") ? this.#wanted : this.#said;
    if (tree === undefined) throw new TypeError("a layer is of one of the trees");
    return tree.beginLayer(layer, keep);
  }

  /** Takes out what is not wanted. To be called when all layers are merged. */
  keepWanted(patterns: SelectionPatterns): void {
    for (const root of new Set([this.wanted, this.said])) keepWanted(root, selection(patterns));
  }

  /** Begins the tree that is only said, with the layers that both have. */
  #parted(): MergedTree {
    const { memory } = this;
    const root = this.#areSame ? { root: copiedTree(this.wanted, memory) } : {};
    return new MergedTree({ ...this.#settings, strict: false }, nobody, { memory, ...root });
  }
}
