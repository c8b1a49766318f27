import { isOciUnpackError } from "../base/errors.ts";
import { isMemoryExceeded, type Memory, MemoryBudget, MemoryShare } from "../base/memory-budget.ts";
import type { DifferentPart } from "../base/option-words.ts";
import { Undetermined } from "../layer/directory.ts";
import { nobody } from "../layer/findings.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import { DigestibleHoles } from "../toc/digested-body.ts";
import { type Found, find, notFound } from "../tree/find.ts";
import { MergedTree, type TreeBase } from "../tree/merged-tree.ts";
import type { EntrySink } from "../worker/apply-entries.ts";
import { ComparedData } from "./compared-data.ts";
import { differences } from "./comparison.ts";
import type { ImageDifference } from "./difference.ts";
import { HeldLayers } from "./held-layers.ts";
import type { Pair, Which } from "./pairs.ts";

/** The trees that two images make, and the digests of their files, counted in one budget. */
export class BothTrees {
  readonly #settings: RootfsSettings;
  readonly #memory: MemoryBudget;
  readonly #trees: Trees;
  readonly #held: HeldLayers;
  readonly #holes: DigestibleHoles;
  readonly #data: ComparedData;

  constructor(settings: RootfsSettings) {
    this.#settings = settings;
    this.#memory = new MemoryBudget(settings.limits);
    this.#trees = treesOn("nothing", settings, this.#memory);
    this.#held = new HeldLayers(this.#memory);
    this.#holes = new DigestibleHoles(settings.limits);
    this.#data = new ComparedData(this.#memory);
  }

  /** Begins a layer of one of the images, or of both. The data of its files are digested once. */
  beginLayer(layer: number, images: readonly Which[]): EntrySink {
    let digested: Entry | undefined;
    let number = 0;
    const keep = (entry: Entry, body: ByteSource) => {
      if (entry !== digested) number = this.#keep(entry, body);
      digested = entry;
      return number;
    };
    const merges = images.map((image) => this.#trees[image].beginLayer(layer, keep));
    return {
      apply(entry, body) {
        for (const merge of merges) merge.apply(entry, body);
      },
      end() {
        for (const merge of merges) merge.end();
      },
    };
  }

  /** Begins a layer of one of the images that comes before the layers that both have at the bottom. */
  holdLayer(layer: number, image: Which): EntrySink {
    return this.#held.begin(layer, image, (entry, body) => this.#keep(entry, body));
  }

  /** To be called when the layers have come that both images have at the bottom. */
  mergeHeld(): void {
    this.#held.moveInto(this.#trees);
  }

  /**
   * The differences from a path on down. It leads as a container would see it, in each image by that image's own symlinks.
   * Throws `NOT_FOUND` if nothing is there in either.
   */
  differences(path: ByteString, ignored: ReadonlySet<DifferentPart>): Iterable<ImageDifference> {
    const tools = { data: this.#data, ignored, memory: this.#memory };
    return differences(topOf(this.#trees, path, "nothing"), tools);
  }

  /**
   * The same while the layers that both images have at the bottom are missing. `undefined` if the differences may depend
   * on them.
   */
  differencesSoFar(path: ByteString, ignored: ReadonlySet<DifferentPart>): Iterable<ImageDifference> | undefined {
    const memory = new MemoryShare(this.#memory);
    try {
      const trees = treesOn("unknown", this.#settings, memory);
      this.#held.mergeInto(trees);
      return differences(topOf(trees, path, "unknown"), { data: this.#data, ignored, memory });
    } catch (error) {
      // What does not fit beside the entries that are held may do so in their stead.
      if (!(error instanceof Undetermined) && !isMemoryExceeded(error)) throw error;
      memory.releaseAll();
      return undefined;
    }
  }

  #keep(entry: Entry, body: ByteSource): number {
    return this.#data.keep(entry, body, this.#holes);
  }
}

type Trees = Readonly<Record<Which, MergedTree>>;

function treesOn(base: TreeBase, settings: RootfsSettings, memory: Memory): Trees {
  // Devices are compared, though unpacking may leave them out.
  const merged = () => new MergedTree({ ...settings, devices: "create" }, nobody, { base, memory });
  return { first: merged(), second: merged() };
}

/** What two trees have at a path. */
function topOf({ first, second }: Trees, path: ByteString, base: TreeBase): Pair {
  const [one, other] = [foundIn(first, path), foundIn(second, path)];
  const found = other ?? one;
  if (found === undefined) throw notFound(path, "neither image has anything there");
  // At different places an unknown base has different things.
  if (base === "unknown" && one?.path !== other?.path) throw new Undetermined(found.path);
  return { path: found.path, first: one?.node, second: other?.node };
}

function foundIn(tree: MergedTree, path: ByteString): Found | undefined {
  try {
    return find(tree.root, path, false);
  } catch (error) {
    if (isOciUnpackError(error) && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}
