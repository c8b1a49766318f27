import { tmpdir } from "node:os";
import { onAbort, together } from "../base/abort.ts";
import type { Kinds } from "../base/option-checks.ts";
import { type ResolveOptions, resolveKinds } from "../image/options.ts";
import { type Image, type ImageLayer, resolveImage } from "../image/resolve.ts";
import type { Digest } from "../oci/digest.ts";
import type { Platform } from "../oci/platform.ts";
import { EventLog } from "../operation/event-log.ts";
import { numberedLayers, resolved } from "../operation/fetch-layers.ts";
import { applyKinds } from "../operation/option-kinds.ts";
import type { UnpackOptions } from "../operation/options.ts";
import { settle, type UnpackSettings } from "../operation/settings.ts";
import { openSource } from "../source/default-source.ts";
import type { EngineReport, Job, NumberedLayer } from "../worker/messages.ts";
import { Pipeline } from "../worker/pipeline.ts";
import { Progress } from "../worker/progress.ts";
import type { SharedRing } from "../worker/ring.ts";
import { Tap } from "../worker/tap.ts";
import { CountedImage } from "./counted-image.ts";
import { type DemandedLayer, LayersOnDemand } from "./layers-on-demand.ts";
import type { ListedEntry } from "./listed.ts";
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

/** What every look at an image tells besides what was asked. */
export interface LookResult {
  /** The canonical name of what was asked for. */
  readonly reference: string;
  /** The digest of the manifest. */
  readonly digest: Digest;
  readonly platform: Platform;
  readonly layers: number;
  /** How many of them had to be read, the newest first. */
  readonly readLayers: number;
  /** Bytes that came from the source for it, documents and layers together. */
  readonly fetchedBytes: number;
  readonly milliseconds: number;
}

/**
 * Looks into an image: `work` asks. Everything that is opened for it is closed again when that has ended, connections
 * included.
 */
export async function look<Result>(
  name: string,
  options: LookOptions,
  { readsFile }: { readonly readsFile: boolean },
  work: (looking: Looking) => Promise<Result>,
): Promise<Result> {
  const startedAt = performance.now();
  const settings = settle(options);
  const account = new EventLog(options);
  account.signal.throwIfAborted();
  await using opened = openSource(name, options);
  const source = new CountedImage((await opened.source).image(name));
  await using pipeline = new Pipeline(settings.apply.limits, "tree-worker"); // while the network is asked, the threads start
  const image = await resolveImage(source, { ...options, signal: account.signal, onEvent: account.tell });
  const layers = numberedLayers(image).toReversed();
  account.tell(resolved(image));

  const progress = Progress.forLayers(image.layers.length);
  await using onDemand = new LayersOnDemand(source, [...image.layers].reverse().map(demanded), {
    ...{ directory: tmpdir(), areKept: readsFile, account },
    onProgress: (layer, bytes) => progress.setDownloadedBytes(layer, bytes),
  });
  return await work(new Looking({ startedAt, image, layers, source, onDemand, pipeline, progress, account, settings }));
}

function demanded({ descriptor }: ImageLayer, index: number, { length }: readonly ImageLayer[]): DemandedLayer {
  return { number: length - 1 - index, descriptor };
}

/** What a look consists of. */
interface Parts {
  readonly startedAt: number;
  readonly image: Image;
  /** Newest first. */
  readonly layers: readonly NumberedLayer[];
  readonly source: CountedImage;
  readonly onDemand: LayersOnDemand;
  readonly pipeline: Pipeline;
  readonly progress: Progress;
  readonly account: EventLog;
  readonly settings: UnpackSettings;
}

/** A look at an image that is under way. */
export class Looking {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Answers a question by reading as few layers as possible. */
  async ask(question: Question): Promise<{ readonly entries: readonly ListedEntry[]; readonly place: number }> {
    const { layers, onDemand, account, settings } = this.#parts;
    const entries: ListedEntry[] = [];
    let place = 0;
    await this.#run(account.signal, {
      layers,
      open: (index, signal) => onDemand.open(index, signal),
      prove: (index) => onDemand.prove(index),
      consume: (input): LookJob => ({
        ...{ type: "look", input, layers, question, sandbox: settings.sandbox, settings: settings.apply },
      }),
      onReport(report) {
        if (report.type === "layer-wanted") onDemand.wantNext();
        if (report.type === "listed") for (const entry of report.entries) entries.push(entry);
        if (report.type === "answered") place = report.place;
      },
    });
    return { entries, place };
  }

  /** Gives the data of the file at a place of a layer to `take`, which may take its time, and may not keep them. */
  async extract(layer: number, place: number, take: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    const { layers, onDemand, account, settings } = this.#parts;
    const tap = new Tap();
    const running: Running = {
      layers: layers.filter(({ number }) => number === layer),
      open: () => onDemand.reopen(layer),
      prove: async () => {}, // it was, when it was read before
      consume: (input): ExtractJob => ({
        ...{ type: "extract", input, layer, place, outlet: tap.outlet },
        ...{ sandbox: settings.sandbox, settings: settings.apply },
      }),
      onReport: tap.report,
    };
    await together(account.signal, [
      async (stop) => {
        const listenNoMore = onAbort(stop, () => tap.cancel());
        await this.#run(stop, running).finally(listenNoMore);
        tap.end();
      },
      (stop) => tap.run(take, stop),
    ]);
  }

  result(): LookResult {
    const { startedAt, image, source, onDemand } = this.#parts;
    return {
      reference: image.reference,
      digest: image.digest,
      platform: image.platform,
      layers: image.layers.length,
      readLayers: onDemand.wanted,
      fetchedBytes: source.bytes - onDemand.storedBytes,
      milliseconds: performance.now() - startedAt,
    };
  }

  get signal(): AbortSignal {
    return this.#parts.account.signal;
  }

  /** Runs the threads until the second one has said all: the first would go on, and wait for more. */
  async #run(signal: AbortSignal, { layers, open, prove, consume, onReport }: Running): Promise<void> {
    const { pipeline, progress, account, settings } = this.#parts;
    const enough = new AbortController();
    const job = {
      ...{
        layers,
        open,
        prove,
        progress,
        hasDigestThread: false,
        consume,
        sandbox: settings.sandbox,
        settings: settings.apply,
      },
      onReport(report: EngineReport | LookReport) {
        if (!isOfLook(report)) account.report(report);
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
