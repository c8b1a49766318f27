import { isOciUnpackError } from "../base/errors.ts";
import { MemoryBudget } from "../base/memory-budget.ts";
import type { DifferentPart } from "../base/option-words.ts";
import { nobody } from "../layer/findings.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import { DigestibleHoles } from "../toc/digested-body.ts";
import { type Found, find, notFound } from "../tree/find.ts";
import { MergedTree } from "../tree/merged-tree.ts";
import type { EntrySink } from "../worker/apply-entries.ts";
import { ComparedData } from "./compared-data.ts";
import { differences } from "./comparison.ts";
import type { ImageDifference } from "./difference.ts";

/** Which of two images. */
export type Which = "first" | "second";

/** The trees that two images make, and the digests of their files, counted in one budget. */
export class BothTrees {
  readonly #memory: MemoryBudget;
  readonly #trees: Readonly<Record<Which, MergedTree>>;
  readonly #holes: DigestibleHoles;
  readonly #data: ComparedData;

  constructor(settings: RootfsSettings) {
    const memory = new MemoryBudget(settings.limits);
    // Devices are compared, though unpacking may leave them out.
    const merged = () => new MergedTree({ ...settings, devices: "create" }, nobody, { memory });
    this.#memory = memory;
    this.#trees = { first: merged(), second: merged() };
    this.#holes = new DigestibleHoles(settings.limits);
    this.#data = new ComparedData(memory);
  }

  /** Begins a layer of one of the images, or of both. The data of its files are digested once. */
  beginLayer(layer: number, images: readonly Which[]): EntrySink {
    let digested: Entry | undefined;
    let number = 0;
    const keep = (entry: Entry, body: ByteSource) => {
      if (entry !== digested) number = this.#data.keep(entry, body, this.#holes);
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

  /**
   * The differences from a path on down. It leads as a container would see it, in each image by that image's own symlinks.
   * Throws `NOT_FOUND` if nothing is there in either.
   */
  differences(path: ByteString, ignored: ReadonlySet<DifferentPart>): Iterable<ImageDifference> {
    const [first, second] = [this.#find("first", path), this.#find("second", path)];
    const found = second ?? first;
    if (found === undefined) throw notFound(path, "neither image has anything there");
    const tools = { data: this.#data, ignored, memory: this.#memory };
    return differences({ path: found.path, first: first?.node, second: second?.node }, tools);
  }

  #find(image: Which, path: ByteString): Found | undefined {
    try {
      return find(this.#trees[image].root, path, false);
    } catch (error) {
      if (isOciUnpackError(error) && error.code === "NOT_FOUND") return undefined;
      throw error;
    }
  }
}
