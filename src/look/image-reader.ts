import { tmpdir } from "node:os";
import { onAbort, together } from "../base/abort.ts";
import type { Kinds } from "../base/option-checks.ts";
import { type ResolveOptions, resolveKinds } from "../image/options.ts";
import type { ImageLayer } from "../image/resolve.ts";
import { CountedImage } from "../operation/counted-image.ts";
import { type AcceptedImage, Operation } from "../operation/operation.ts";
import { applyKinds, type OperationResult, type UnpackOptions } from "../operation/options.ts";
import type { ListedEntry } from "../tree/listed-entry.ts";
import type { EngineReport, Job, NumberedLayer } from "../worker/messages.ts";
import { OutletReader } from "../worker/outlet.ts";
import { Pipeline } from "../worker/pipeline.ts";
import type { SharedRing } from "../worker/ring.ts";
import { type DemandedLayer, LayersOnDemand } from "./layers-on-demand.ts";
import type { ExtractJob, LookJob, LookReport } from "./look-job.ts";
import type { Question } from "./question.ts";

export interface LookOptions
  extends ResolveOptions,
    Pick<UnpackOptions, "sandbox" | "keepDirlinks" | "sourceDateEpoch"> {}

export const lookKinds: Kinds<LookOptions> = {
  ...resolveKinds,
  keepDirlinks: applyKinds.keepDirlinks,
  sourceDateEpoch: applyKinds.sourceDateEpoch,
};

/** What `list` and `read` tell besides what was asked. */
export interface LookResult extends OperationResult {
  /** How many of them had to be read, the newest first. */
  readonly readLayers: number;
  /** Bytes that came from the source for it, documents and layers together. */
  readonly fetchedBytes: number;
}

/**
 * Opens an image for `work` to look into. All that is opened for it, connections included, is closed when `work` has
 * ended.
 */
export async function withImageReader<Options extends LookOptions, Result>(
  name: string,
  options: Options,
  kinds: Kinds<Options>,
  { readsFile }: { readonly readsFile: boolean },
  work: (reader: ImageReader) => Promise<Result>,
): Promise<Result> {
  await using operation = Operation.begin(name, options, kinds);
  const { events, settings } = operation;
  const source = new CountedImage(await operation.source());
  await using pipeline = new Pipeline(settings.apply.limits, "tree-worker"); // while the network is asked, the threads start
  const accepted = await operation.resolve(source);
  const { image, progress } = accepted;
  await using onDemand = new LayersOnDemand(source, image.layers.map(demanded).toReversed(), {
    directory: tmpdir(),
    areKept: readsFile,
    events,
    onProgress: (layer, bytes) => progress.setDownloadedBytes(layer, bytes),
  });
  return await work(new ImageReader({ operation, accepted, onDemand, pipeline }));
}

function demanded({ descriptor }: ImageLayer, number: number): DemandedLayer {
  return { number, descriptor };
}

/** What a reader works with. */
interface Parts {
  readonly operation: Operation;
  readonly accepted: AcceptedImage<CountedImage>;
  readonly onDemand: LayersOnDemand;
  readonly pipeline: Pipeline;
}

/** Looks into one image, and downloads no more of its layers than it needs. */
export class ImageReader {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Answers a question by reading as few layers as possible. */
  async ask(question: Question): Promise<{ readonly entries: readonly ListedEntry[]; readonly entryIndex: number }> {
    const { operation, accepted, onDemand } = this.#parts;
    const { sandbox, apply: settings } = operation.settings;
    const layers = accepted.layers.toReversed(); // newest first
    const entries: ListedEntry[] = [];
    let entryIndex = 0;
    await this.#run(operation.signal, {
      layers,
      open: (index, signal) => onDemand.open(index, signal),
      prove: (index) => onDemand.prove(index),
      consume: (input): LookJob => ({ type: "look", input, layers, question, sandbox, settings }),
      onReport(report) {
        if (report.type === "layer-wanted") onDemand.wantNext();
        if (report.type === "listed") for (const entry of report.entries) entries.push(entry);
        if (report.type === "answered") entryIndex = report.entryIndex;
      },
    });
    return { entries, entryIndex };
  }

  /** Gives the data of the file at an index of a layer's entries to `take`, which may take its time, and may not keep them. */
  async extract(layer: number, entryIndex: number, take: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    const { operation, accepted, onDemand } = this.#parts;
    const { sandbox, apply: settings } = operation.settings;
    const outletReader = new OutletReader();
    const running: Running = {
      layers: accepted.layers.filter(({ number }) => number === layer),
      open: () => onDemand.reopen(layer),
      prove: async () => {}, // it was, when it was read before
      consume: (input): ExtractJob => ({
        type: "extract",
        input,
        layer,
        entryIndex,
        outlet: outletReader.outlet,
        sandbox,
        settings,
      }),
      onReport: outletReader.report,
    };
    await together(operation.signal, [
      async (stop) => {
        const listenNoMore = onAbort(stop, () => outletReader.cancel());
        await this.#run(stop, running).finally(listenNoMore);
        outletReader.end();
      },
      (stop) => outletReader.run(take, stop),
    ]);
  }

  /** Says that nothing more will be asked, and what came of it all. */
  finish(): LookResult {
    const { operation, accepted, onDemand } = this.#parts;
    return {
      ...operation.finish(accepted.image),
      readLayers: onDemand.wanted,
      fetchedBytes: accepted.source.bytes - onDemand.storedBytes,
    };
  }

  get signal(): AbortSignal {
    return this.#parts.operation.signal;
  }

  /** Runs the threads until the second one has said all: the first would go on, and wait for more. */
  async #run(signal: AbortSignal, { layers, open, prove, consume, onReport }: Running): Promise<void> {
    const { operation, accepted, pipeline } = this.#parts;
    const { settings, events } = operation;
    const enough = new AbortController();
    const job = {
      layers,
      open,
      prove,
      progress: accepted.progress,
      hasDigestThread: false,
      consume,
      sandbox: settings.sandbox,
      settings: settings.apply,
      onReport(report: EngineReport | LookReport) {
        if (!isOfLook(report)) events.report(report);
        onReport(report);
        if (report.type === "answered") enough.abort(enough);
      },
    };
    try {
      await pipeline.run(job, AbortSignal.any([signal, enough.signal]));
    } catch (error) {
      if (error !== enough) throw error;
    }
  }
}

/** What goes through the threads, and what they are to do with it. */
interface Running {
  readonly layers: readonly NumberedLayer[];
  readonly open: (index: number, signal: AbortSignal) => AsyncIterable<Uint8Array>;
  readonly prove: (index: number) => Promise<void>;
  readonly consume: (input: SharedRing) => Job;
  readonly onReport: (report: EngineReport | LookReport) => void;
}

function isOfLook(report: EngineReport | LookReport): report is LookReport {
  return report.type === "layer-wanted" || report.type === "listed" || report.type === "answered";
}
