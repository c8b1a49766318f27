import { MemoryBudget } from "../base/memory-budget.ts";
import { ComparedData } from "../diff/compared-data.ts";
import { type FindingsReporter, nobody } from "../layer/findings.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import { DigestibleHoles } from "../toc/digested-body.ts";
import { MergedTree } from "../tree/merged-tree.ts";
import { keepWanted, type SelectionPatterns, selection } from "../tree/selection.ts";
import type { TreeDirectory } from "../tree/tree-file.ts";
import type { EntrySink } from "../worker/apply-entries.ts";
import { DataOffsets } from "./data-offsets.ts";

/** The tree that a directory is to have, or the one that it is said to have. */
export type WhichTree = "wanted" | "said";

/** The tree that a directory is to have and, where that is believed, the one that it is said to have. */
export class ImageTrees {
  readonly memory: MemoryBudget;
  readonly data: ComparedData;
  /** Where the data of the files are in the archives of their layers. */
  readonly offsets: DataOffsets;
  readonly #trees: Readonly<Record<WhichTree, MergedTree>>;
  readonly #holes: DigestibleHoles;

  constructor(settings: RootfsSettings, reporter: FindingsReporter) {
    const memory = new MemoryBudget(settings.limits);
    // An empty file in place of a device may have the device recorded on it, so the trees have to have devices.
    const devices = settings.devices === "placeholder" ? "create" : settings.devices;
    this.memory = memory;
    this.data = new ComparedData(memory);
    this.offsets = new DataOffsets(memory);
    this.#holes = new DigestibleHoles(settings.limits);
    this.#trees = {
      wanted: new MergedTree({ ...settings, devices }, reporter, { memory }),
      said: new MergedTree({ ...settings, devices, strict: false }, nobody, { memory }),
    };
  }

  get wanted(): TreeDirectory {
    return this.#trees.wanted.root;
  }

  get said(): TreeDirectory {
    return this.#trees.said.root;
  }

  /** Begins a layer of one of the trees, or of both. The data of its files are digested once. */
  beginLayer(layer: number, trees: readonly WhichTree[]): EntrySink {
    let digested: Entry | undefined;
    let number = 0;
    const keep = (entry: Entry, body: ByteSource) => {
      if (entry !== digested) {
        const offset = this.offsets.of(body);
        number = this.data.keep(entry, body, this.#holes);
        this.offsets.set(number, offset);
      }
      digested = entry;
      return number;
    };
    const merges = trees.map((tree) => this.#trees[tree].beginLayer(layer, keep));
    return {
      apply(entry, body) {
        for (const merge of merges) merge.apply(entry, body);
      },
      end() {
        for (const merge of merges) merge.end();
      },
    };
  }

  /** Takes out what is not wanted. To be called when all layers are merged. */
  keepWanted(patterns: SelectionPatterns): void {
    for (const { root } of Object.values(this.#trees)) keepWanted(root, selection(patterns));
  }
}
