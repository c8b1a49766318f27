import { isMemoryExceeded } from "../base/memory-budget.ts";
import type { DifferentPart } from "../base/option-words.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import type { NumberedLayer } from "../worker/messages.ts";
import { type ComparedImage, sharedLayers } from "./compared-image.ts";
import type { BaseWanted, CompareJob } from "./diff-job.ts";
import type { ImageDifference } from "./difference.ts";
import { DifferenceLines } from "./difference-lines.ts";
import type { LayerMerging } from "./layer-merging.ts";

interface Comparing {
  /** What is compared, with all that is below it. Default: everything. */
  readonly path: string | undefined;
  readonly ignored: readonly DifferentPart[];
  readonly merging: LayerMerging;
  readonly give: (differences: readonly ImageDifference[]) => Promise<void>;
}

/**
 * The comparison of what is in two images.
 *
 * The layers that both have at the bottom are the last to come: most often those above tell what is different, as where
 * they name the same paths. Only if a difference depends on what is below are they asked for.
 */
export class FileComparison {
  readonly #first: ComparedImage;
  readonly #second: ComparedImage;
  readonly #comparing: Comparing;
  /** The layers that both have at the bottom, and those that each has above. */
  readonly #shared: readonly NumberedLayer[];
  readonly #own1: readonly NumberedLayer[];
  readonly #own2: readonly NumberedLayer[];

  constructor(first: ComparedImage, second: ComparedImage, comparing: Comparing) {
    this.#first = first;
    this.#second = second;
    this.#comparing = comparing;
    this.#shared = sharedLayers(first, second);
    this.#own1 = first.accepted.layers.slice(this.#shared.length);
    this.#own2 = second.accepted.layers.slice(this.#shared.length);
  }

  /** Gives all differences, and returns how many there were. */
  async run(): Promise<number> {
    // The same layers make the same files. But whether a path leads to any of them is not known.
    const areSame = this.#own1.length === 0 && this.#own2.length === 0;
    if (areSame && this.#comparing.path === undefined) return 0;
    if (this.#shared.length === 0) return await this.#runFromBottom();
    try {
      return await this.#runFromTop();
    } catch (error) {
      if (!isMemoryExceeded(error)) throw error;
    }
    this.#first.operation.signal.throwIfAborted();
    return await this.#runFromBottom(); // which takes less memory
  }

  async #runFromTop(): Promise<number> {
    const { merging } = this.#comparing;
    await merging.hold(this.#first, this.#own1, "first");
    await merging.hold(this.#second, this.#own2, "second");
    const count = await this.#compare({ isBaseMissing: true });
    if (count !== undefined) return count;
    await this.#mergeShared();
    return await this.#compareWhole();
  }

  async #runFromBottom(): Promise<number> {
    const { merging } = this.#comparing;
    await this.#mergeShared();
    await merging.merge(this.#first, this.#own1, ["first"]);
    await merging.merge(this.#second, this.#own2, ["second"]);
    return await this.#compareWhole();
  }

  async #mergeShared(): Promise<void> {
    await this.#comparing.merging.merge(this.#first, this.#shared, ["first", "second"]);
    this.#second.operation.proofs.noteAsIn(this.#first.operation.proofs, this.#shared);
  }

  async #compareWhole(): Promise<number> {
    const count = await this.#compare({ isBaseMissing: false });
    if (count === undefined) throw new TypeError("no layer is missing");
    return count;
  }

  /** Gives the differences of what was merged and returns how many there were; nothing if they depend on what is missing. */
  async #compare({ isBaseMissing }: Pick<CompareJob, "isBaseMissing">): Promise<number | undefined> {
    const { path = "/", ignored, merging, give } = this.#comparing;
    const { operation, accepted } = this.#first;
    const lines = new DifferenceLines(accepted.image.config, this.#second.accepted.image.config);
    let count = 0;
    let isBaseWanted = false;
    await merging.pipeline.receive<BaseWanted>(
      (outlet): CompareJob => ({
        type: "compare",
        path: byteStringOf(path),
        ignored,
        isBaseMissing,
        outlet,
        settings: operation.settings.apply,
      }),
      {
        async take(bytes) {
          const differences = lines.take(bytes);
          count += differences.length;
          await give(differences);
        },
        onReport(report) {
          if (report.type === "base-wanted") isBaseWanted = true;
          else operation.events.report(report);
        },
        signal: AbortSignal.any([operation.signal, this.#second.operation.signal]),
      },
    );
    return isBaseWanted ? undefined : count;
  }
}
